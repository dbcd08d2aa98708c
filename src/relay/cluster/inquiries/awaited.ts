/** Waits until all other relays that listen to a topic have answered, but not for long. */

/** How long other relays are waited for, ms. [BUS-12] */
const PATIENCE_MS = 1_000;
/** How long where the bus cannot tell how many relays listen, ms. */
const BLIND_PATIENCE_MS = 100;

export class Awaited {
  readonly #answered: () => number;
  readonly #waiting: (() => void)[] = [];
  /** How many others there are; null: that is not known yet. */
  #others: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param listeners how many listen to the topic, this relay too; null: the bus cannot tell
   * @param answered how many have answered so far
   */
  constructor(listeners: Promise<number> | null, answered: () => number) {
    this.#answered = answered;
    this.#timer = setTimeout(() => this.end(), listeners === null ? BLIND_PATIENCE_MS : PATIENCE_MS);
    if (listeners !== null) void this.#count(listeners);
  }

  /** Whether no relay is waited for any more. */
  get isOver(): boolean {
    return this.#timer === undefined;
  }

  /** Calls back when no relay is waited for any more: at once, if none is. */
  whenOver(run: () => void): void {
    if (this.isOver) run();
    else this.#waiting.push(run);
  }

  /** A relay has answered, or is gone. */
  check(): void {
    if (this.#others !== null && this.#answered() >= this.#others) this.end();
  }

  end(): void {
    if (this.isOver) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const run of this.#waiting.splice(0)) run();
  }

  async #count(listeners: Promise<number>): Promise<void> {
    try {
      this.#others = (await listeners) - 1;
      this.check();
    } catch {
      this.end();
    }
  }
}
