/** Asks all other relays a question at once, and waits for their answers, but not for long. [BUS-35] */
import type { Unsubscribe } from "../../../presence/index.ts";
import type { Message, MessageKind } from "../message.ts";
import type { Hub } from "../../core/hub.ts";
import { NO_ANSWER, type WrittenAnswer, answerTo } from "./answers.ts";
import { type Answer, type Question, readAnswer, readQuestion, writeWords } from "./words.ts";

/** How long the answers of other relays are waited for, ms. */
const PATIENCE_MS = 1_000;
/** How long after the last question people are still counted as they come and go, ms. */
const LINGER_MS = 60_000;

interface Waiting {
  /** The relays that have yet to answer. */
  readonly relays: Set<string>;
  readonly answers: Answer[];
  readonly done: (areAll: boolean) => void;
}

/** The answers of other relays. */
export interface Gathered {
  readonly answers: readonly Answer[];
  /** Whether all relays that were asked have answered. */
  readonly areAll: boolean;
}

/** The kinds of messages that are questions, or answers to them. */
export const INQUIRY_KINDS: ReadonlySet<MessageKind> = new Set(["who", "here", "whoChose", "chose", "kicked"]);

export interface InquiryContext {
  readonly hub: Hub;
  /** The other relays that live; null: the bus is lost, and nobody would answer. */
  relays(): Iterable<string> | null;
  tell(relay: string, kind: MessageKind, room: string, body?: Uint8Array): void;
}

export class Inquiries {
  readonly #context: InquiryContext;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #unobserve: Unsubscribe | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(context: InquiryContext) {
    this.#context = context;
  }

  /** Resolves with the answers of all other relays; null: not all have answered. @param patienceMs how long to wait, ms; default 1 000 */
  async ask(question: Question, patienceMs: number = PATIENCE_MS): Promise<readonly Answer[] | null> {
    const { answers, areAll } = await this.gather(question, patienceMs);
    return areAll ? answers : null;
  }

  /** Resolves with the answers that came in time, and whether all relays have answered. @param patienceMs how long to wait, ms */
  gather(question: Question, patienceMs: number): Promise<Gathered> {
    const kind = question.type === "choices" ? "whoChose" : "who";
    return this.#gather(patienceMs, (relays, id) => {
      for (const relay of relays) this.#context.tell(relay, kind, "", writeWords(id, question));
    });
  }

  /**
   * Has all other relays do something to connections. Resolves with the number of these connections, on the relays that tell theirs in
   * time. [BUS-42]
   *
   * @param act tells the relays what to do, with the number that their answers carry; null: no answer is waited for
   */
  async count(act: (id: number | null) => void): Promise<number> {
    let isAsked = false;
    const gathering = this.#gather(PATIENCE_MS, (_, id) => {
      isAsked = true;
      act(id);
    });
    // no other relay is known, and one may hear it all the same
    if (!isAsked) act(null);
    const { answers } = await gathering;
    return answers.reduce((sum, { connections }) => sum + connections, 0);
  }

  /** Answers what another relay has asked under this number. */
  answer(relay: string, kind: MessageKind, id: number, said: Partial<WrittenAnswer>): void {
    this.#context.tell(relay, kind, "", writeWords(id, { ...NO_ANSWER, ...said }));
  }

  #gather(patienceMs: number, ask: (relays: ReadonlySet<string>, id: number) => void): Promise<Gathered> {
    const living = this.#context.relays();
    if (living === null) return Promise.resolve({ answers: [], areAll: false });
    const relays = new Set(living);
    if (relays.size === 0) return Promise.resolve({ answers: [], areAll: true });
    const id = ++this.#count;
    return new Promise((resolve) => {
      const answers: Answer[] = [];
      const done = (areAll: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve({ answers, areAll });
      };
      const timer = setTimeout(() => done(false), patienceMs);
      this.#waiting.set(id, { relays, answers, done });
      ask(new Set(relays), id);
    });
  }

  /** Acts on a question or an answer. Throws `FrameError`. */
  hear({ kind, relay, body }: Message): void {
    if (kind === "who" || kind === "whoChose") {
      const { id, question } = readQuestion(body);
      if (question.type !== "choices") this.#observe();
      this.answer(relay, kind === "who" ? "here" : "chose", id, answerTo(this.#context.hub, question));
    } else {
      const { id, answer } = readAnswer(body);
      const waiting = this.#waiting.get(id);
      if (waiting?.relays.has(relay) !== true) return;
      waiting.answers.push(answer);
      this.#heard(relay, waiting);
    }
  }

  /** A relay is gone, and with it its people: its answer is not waited for. */
  lost(relay: string): void {
    for (const waiting of this.#waiting.values()) this.#heard(relay, waiting);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#unobserve?.();
    for (const { done } of this.#waiting.values()) done(false);
  }

  /** While others ask, people are counted as they come and go, rather than anew with each question. */
  #observe(): void {
    this.#unobserve ??= this.#context.hub.observe();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#unobserve?.();
      this.#unobserve = null;
    }, LINGER_MS);
    // it need not keep the process alive
    this.#timer.unref();
  }

  #heard(relay: string, { relays, done }: Waiting): void {
    if (relays.delete(relay) && relays.size === 0) done(true);
  }
}
