/** Messages of one connection that wait for its next turn, since others are to be heard in between. [COST-6] [COST-8] */
import type { Turns } from "./turns.ts";

export interface Message {
  readonly data: Uint8Array;
  readonly isBinary: boolean;
}

export class Backlog {
  readonly #turns: Turns;
  #messages: Message[] = [];
  #cancel: (() => void) | null = null;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** The next turn is still to come. */
  get isWaiting(): boolean {
    return this.#cancel !== null;
  }

  /** The message that comes next. */
  get first(): Message | undefined {
    return this.#messages[0];
  }

  push(message: Message): void {
    this.#messages.push(message);
  }

  shift(): Message | undefined {
    return this.#messages.shift();
  }

  /**
   * Calls back in a later turn.
   *
   * @param expectedMs how long the first message may take, about
   */
  wait(expectedMs: number, goOn: () => void): void {
    if (this.#cancel !== null) return;
    this.#cancel = this.#turns.wait(expectedMs, () => {
      this.#cancel = null;
      goOn();
    });
  }

  /** Waits no longer. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
