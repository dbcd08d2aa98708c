/**
 * Updates that were taken and are about to be stored. Others are told of them once they are stored: so what somebody has
 * been told is not lost with the relay's process. A slow store holds nobody up for long. [STORE-42]
 */

/** So long others wait for the store at most, ms. */
const MAX_HELD_MS = 100;

interface Held {
  readonly send: () => void;
  isStored: boolean;
}

export class HeldUpdates {
  #held: Held[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Has others told of an update, after those that were held before it.
   *
   * @param stored resolves when it is stored, or could not be; null: there is nothing to wait for
   */
  send(send: () => void, stored: Promise<void> | null): void {
    if (stored === null && this.#held.length === 0) return send();
    const held = { send, isStored: stored === null };
    this.#held.push(held);
    this.#timer ??= setTimeout(() => this.sendAll(), MAX_HELD_MS);
    if (stored !== null) void this.#whenStored(held, stored);
  }

  async #whenStored(held: Held, stored: Promise<void>): Promise<void> {
    await stored;
    held.isStored = true;
    this.#sendStored();
  }

  /** Waits for the store no longer. */
  sendAll(): void {
    for (const held of this.#held) held.isStored = true;
    this.#sendStored();
  }

  #sendStored(): void {
    while (this.#held[0]?.isStored === true) this.#held.shift()?.send();
    if (this.#held.length > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
