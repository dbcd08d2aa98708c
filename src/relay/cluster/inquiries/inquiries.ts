/** Asks all other relays something at once, and waits for all their answers, or not for long. [BUS-35] */
import type { Unsubscribe } from "../../../presence/index.ts";
import type { Message, MessageKind } from "../message.ts";
import type { Hub } from "../../core/hub.ts";
import { NO_ANSWER, type WrittenAnswer, answerTo } from "./answers.ts";
import { type Answer, type Question, readAnswer, readQuestion, writeWords } from "./words.ts";

/** A relay that has not answered by then is not waited for, ms. */
const PATIENCE_MS = 1_000;
/** So long after the last question people are still counted as they come and go, ms. */
const LINGER_MS = 60_000;

interface Waiting {
  /** Those who have yet to answer. */
  readonly relays: Set<string>;
  readonly answers: Answer[];
  readonly done: (areAll: boolean) => void;
}

/** What others have answered. */
export interface Gathered {
  readonly answers: readonly Answer[];
  /** All have answered who were asked. */
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

  /** Resolves with what all others answer; null: not all did. @param patienceMs so long they are waited for, ms; default 1 000 */
  async ask(question: Question, patienceMs: number = PATIENCE_MS): Promise<readonly Answer[] | null> {
    const { answers, areAll } = await this.gather(question, patienceMs);
    return areAll ? answers : null;
  }

  /** Resolves with what others have answered by then, and whether all have. @param patienceMs so long they are waited for, ms */
  gather(question: Question, patienceMs: number): Promise<Gathered> {
    const kind = question.type === "choices" ? "whoChose" : "who";
    return this.#gather(patienceMs, (relays, id) => {
      for (const relay of relays) this.#context.tell(relay, kind, "", writeWords(id, question));
    });
  }

  /**
   * Has all others do something, and resolves with how many connections these have done it to who say so in time. [BUS-42]
   *
   * @param act tells them, with the number that their answers are to carry; null: none is waited for
   */
  async count(act: (id: number | null) => void): Promise<number> {
    let isAsked = false;
    const gathering = this.#gather(PATIENCE_MS, (_, id) => {
      isAsked = true;
      act(id);
    });
    // for all relays that hear it
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

  /** A relay is gone: nobody is there by it any more. */
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
    // nothing waits for it
    this.#timer.unref();
  }

  #heard(relay: string, { relays, done }: Waiting): void {
    if (relays.delete(relay) && relays.size === 0) done(true);
  }
}
