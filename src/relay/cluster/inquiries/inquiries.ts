/** Asks all other relays something at once, and waits for all their answers, or not for long. [BUS-35] */
import type { Unsubscribe } from "../../../presence/index.ts";
import type { Message, MessageKind } from "../message.ts";
import type { Hub } from "../../core/hub.ts";
import { answerTo } from "./answers.ts";
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

  /** Resolves with what all others answer; null: not all did. */
  ask(question: Question): Promise<readonly Answer[] | null> {
    const living = this.#context.relays();
    if (living === null) return Promise.resolve(null);
    const relays = new Set(living);
    if (relays.size === 0) return Promise.resolve([]);
    const id = ++this.#count;
    return new Promise((resolve) => {
      const answers: Answer[] = [];
      const done = (areAll: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(areAll ? answers : null);
      };
      const timer = setTimeout(() => done(false), PATIENCE_MS);
      this.#waiting.set(id, { relays, answers, done });
      for (const relay of relays) this.#context.tell(relay, "who", "", writeWords(id, question));
    });
  }

  /** Acts on a question or an answer. Throws `FrameError`. */
  hear({ kind, relay, body }: Message): void {
    if (kind === "who") {
      const { id, question } = readQuestion(body);
      this.#observe();
      this.#context.tell(relay, "here", "", writeWords(id, answerTo(this.#context.hub, question)));
    } else if (kind === "here") {
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
