/**
 * Answers that other relays wait for. They are given once all is read that has come in: a relay that is busy finds the same question
 * several times, and each answer may be long. [BUS-53]
 */
import { immediate } from "../../util/immediate.ts";

export class OwedAnswers {
  readonly #answer: (relay: string, question: Uint8Array) => void;
  /** By relay, what it asked last. */
  readonly #owed = new Map<string, Uint8Array>();
  #cancel: (() => void) | null = null;

  /** @param answer told whom to answer, and what that relay asked */
  constructor(answer: (relay: string, question: Uint8Array) => void) {
    this.#answer = answer;
  }

  /** A relay has asked. */
  owe(relay: string, question: Uint8Array): void {
    this.#owed.set(relay, question);
    this.#cancel ??= immediate(() => {
      const owed = [...this.#owed];
      this.clear();
      for (const [each, asked] of owed) this.#answer(each, asked);
    });
  }

  /** Nobody is answered any more of those who have asked. */
  clear(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#owed.clear();
  }
}
