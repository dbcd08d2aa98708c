/**
 * Asks other relays for all that they share with this one, when it may have missed something: some rooms at a time, with a pause
 * between, so that the answers do not come all at once. [BUS-21]
 */

/** So many rooms and lobbies are asked for at a time. */
const AT_ONCE = 250;
/** How long to rest before the next ones, ms. */
const PAUSE_MS = 50;

/** A room or lobby that is shared with other relays. */
interface Shared {
  /** Asks for all that other relays have of it. */
  heal(): void;
}

export class Healing {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Some have yet to be asked for. */
  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Asks for these, in their order, and no more for those before. */
  begin(shared: readonly Shared[]): void {
    this.stop();
    for (const each of shared.slice(0, AT_ONCE)) each.heal();
    const rest = shared.slice(AT_ONCE);
    if (rest.length > 0) this.#timer = setTimeout(() => this.begin(rest), PAUSE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
