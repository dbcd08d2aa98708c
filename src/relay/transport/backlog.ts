/** Messages of one connection that wait for its next turn, since others are to be heard in between. [COST-6] */
import { immediate } from "../immediate.ts";

export interface Message {
  readonly data: Uint8Array;
  readonly isBinary: boolean;
}

export class Backlog {
  #messages: Message[] = [];
  #cancel: (() => void) | null = null;

  /** The next turn is still to come. */
  get isWaiting(): boolean {
    return this.#cancel !== null;
  }

  push(message: Message): void {
    this.#messages.push(message);
  }

  shift(): Message | undefined {
    return this.#messages.shift();
  }

  /** Calls back once all others have been heard. */
  wait(goOn: () => void): void {
    this.#cancel = immediate(() => {
      this.#cancel = null;
      goOn();
    });
  }

  /** Ends the wait, and gives out what is left. */
  stop(): readonly Message[] {
    this.#cancel?.();
    this.#cancel = null;
    const rest = this.#messages;
    this.#messages = [];
    return rest;
  }
}
