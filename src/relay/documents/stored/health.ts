/** How the store of documents fares: how long it takes, and whether it does what it is asked. [STORE-15] */
import { DamagedDocumentError } from "../../ports/stores/document-store.ts";
import type { Clock } from "../../ports/clock.ts";
import { reasonOf } from "../../util/reason.ts";

/** What the store is asked to do takes longer only if it hangs, ms. */
const HANGING_MS = 10_000;
/** How often it is looked whether it hangs while somebody waits, ms. */
const LOOK_MS = 250;

export interface StoreTimes {
  readonly count: number;
  readonly seconds: number;
}

type Timed = "load" | "append";
type Kind = Timed | "touch" | "unused" | "delete" | "compact";

interface Question {
  readonly kind: Kind;
  /** Monotonic ms. */
  readonly at: number;
}

export class StoreHealth {
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;
  readonly #times = { load: { count: 0, seconds: 0 }, append: { count: 0, seconds: 0 } };
  /** What was asked and has not been answered: what for, and when. */
  readonly #asked = new Set<Question>();
  /** Documents that could not be loaded or stored when that was tried last. */
  readonly #failing = new Set<string>();
  /** The failures that were reported since the store did last all that it was asked. */
  readonly #reported = new Set<string>();

  /** Nothing that hangs has been reported since everything was answered last. */
  #isHangingNews = true;

  /** @param warn told once when the store does not answer, until it has answered all that it was asked */
  constructor(clock: Clock, warn: (message: string) => void) {
    this.#clock = clock;
    this.#warn = warn;
  }

  get load(): StoreTimes {
    return this.#times.load;
  }

  get append(): StoreTimes {
    return this.#times.append;
  }

  /** Whether there is a document that it did not load or store when it was asked last, or whether it hangs. */
  get isFailing(): boolean {
    if (this.#failing.size > 0) return true;
    return this.#hangs(() => true);
  }

  /** Waits for what is being appended, and no longer than the store goes on answering. Resolves with whether all was. [STORE-48] */
  async finished(appended: Promise<unknown>): Promise<boolean> {
    let timer: ReturnType<typeof setInterval> | undefined;
    const hanging = new Promise<boolean>((resolve) => {
      timer = setInterval(() => this.#hangs(({ kind }) => kind === "append") && resolve(false), LOOK_MS);
    });
    try {
      return await Promise.race([appended.then(() => true), hanging]);
    } finally {
      clearInterval(timer);
    }
  }

  /** Asks the store for a document, or to take part of one. Rejects as the store does. */
  async ask<T>(kind: Timed, room: string, act: () => Promise<T>): Promise<T> {
    const startedAt = this.#clock.now();
    try {
      const answer = await this.watch(kind, act);
      this.#times[kind].count++;
      this.#times[kind].seconds += (this.#clock.now() - startedAt) / 1_000;
      this.forget(kind, room);
      return answer;
    } catch (error) {
      // one document that is damaged is no failure of the store
      if (!(error instanceof DamagedDocumentError)) this.#failing.add(`${kind} ${room}`);
      throw error;
    }
  }

  /** Asks the store for anything, and notices where it does not answer. Rejects as the store does. [STORE-49] */
  async watch<T>(kind: Kind, act: () => Promise<T>): Promise<T> {
    const question: Question = { kind, at: this.#clock.now() };
    this.#asked.add(question);
    const timer = setTimeout(() => this.#reportHanging(kind), HANGING_MS).unref();
    try {
      return await act();
    } finally {
      clearTimeout(timer);
      this.#asked.delete(question);
      if (this.#asked.size === 0) this.#isHangingNews = true;
    }
  }

  #reportHanging(kind: Kind): void {
    if (this.#isHangingNews) this.#warn(`the store has not answered ${kind}() for ${HANGING_MS / 1_000} s`);
    this.#isHangingNews = false;
  }

  /** It is not asked again: nobody wants the answer any more. */
  forget(kind: Timed, room: string): void {
    this.#failing.delete(`${kind} ${room}`);
    if (this.#failing.size === 0) this.#reported.clear();
  }

  #hangs(concerns: (question: Question) => boolean): boolean {
    const now = this.#clock.now();
    for (const question of this.#asked) if (now - question.at > HANGING_MS && concerns(question)) return true;
    return false;
  }

  /** Whether a failure is to be reported: a disk that is full is so for all documents, and is reported once. [STORE-16] */
  isNews(error: unknown): boolean {
    const reason = reasonOf(error);
    if (this.#reported.has(reason)) return false;
    this.#reported.add(reason);
    return true;
  }
}
