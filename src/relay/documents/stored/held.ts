/**
 * Updates that were taken and are about to be stored. Others are told of them once they are stored: so what somebody has
 * been told is not lost with the relay's process. A slow store holds people up once, and not again until it has caught up.
 * [STORE-42]
 */

/** Others wait for the store no longer than this, ms. */
const MAX_HELD_MS = 1_000;

interface Held {
  readonly send: () => void;
  /** `late`: others are told although the store has not taken it. */
  phase: "waiting" | "due" | "late";
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class HeldUpdates {
  #held: Held[] = [];
  /** Of how many updates others were told that the store has yet to take, since it took too long. */
  #late = 0;

  /**
   * Has others told of an update, after those that were held before it.
   *
   * @param stored resolves when it is stored, or could not be; null: there is nothing to wait for
   */
  send(send: () => void, stored: Promise<void> | null): void {
    const mustWait = stored !== null && this.#late === 0;
    if (!mustWait && this.#held.length === 0) return send();
    const held: Held = { send, phase: mustWait ? "waiting" : "due", timer: undefined };
    this.#held.push(held);
    if (!mustWait) return;
    held.timer = setTimeout(() => this.#tooLate(held), MAX_HELD_MS);
    void this.#whenStored(held, stored);
  }

  async #whenStored(held: Held, stored: Promise<void>): Promise<void> {
    await stored;
    switch (held.phase) {
      case "waiting":
        clearTimeout(held.timer);
        held.phase = "due";
        return this.#sendDue();
      case "late":
        this.#late--;
        return;
      case "due":
    }
  }

  #tooLate(held: Held): void {
    held.phase = "late";
    this.#late++;
    this.#sendDue();
  }

  #sendDue(): void {
    for (;;) {
      const [first] = this.#held;
      if (first === undefined || first.phase === "waiting") return;
      this.#held.shift();
      first.send();
    }
  }

  /** Waits for the store no longer: others are told of all that is held. */
  sendAll(): void {
    for (const held of this.#held) {
      if (held.phase !== "waiting") continue;
      clearTimeout(held.timer);
      held.phase = "due";
    }
    this.#sendDue();
  }
}
