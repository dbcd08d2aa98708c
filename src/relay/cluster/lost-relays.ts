/** Relays that are not heard any more. Their people have some time to come back through other relays. [BUS-16] [BUS-22] */

/** So many lost relays are remembered, the last ones. */
const MAX_REMEMBERED = 1_000;

export interface LostRelaysSetup {
  /** How long people may take to come back who were connected to a relay that is lost, ms. */
  readonly graceMs: number;
  /** How long they may take when the relay has said that it stops, ms. [DRAIN-7] */
  readonly moveGraceMs: number;
  /** The people of a relay have had their time. */
  readonly expire: (relay: string) => void;
}

export class LostRelays {
  readonly #setup: LostRelaysSetup;
  /** Relays whose people may still come back. */
  readonly #graces = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #remembered = new Set<string>();

  constructor(setup: LostRelaysSetup) {
    this.#setup = setup;
  }

  /** @param hasSaidSo the relay has said that it stops, and has sent its people elsewhere */
  lost(relay: string, hasSaidSo: boolean): void {
    this.#remembered.add(relay);
    for (const first of this.#remembered) if (this.#remembered.size > MAX_REMEMBERED) this.#remembered.delete(first);
    clearTimeout(this.#graces.get(relay));
    const { graceMs, moveGraceMs, expire } = this.#setup;
    const timer = setTimeout(
      () => {
        this.#graces.delete(relay);
        expire(relay);
      },
      hasSaidSo ? moveGraceMs : graceMs,
    );
    this.#graces.set(relay, timer);
  }

  /**
   * A relay is heard. Returns whether it was taken for lost before: then it never stopped, and what both said meanwhile has to be
   * asked for.
   */
  found(relay: string): boolean {
    clearTimeout(this.#graces.get(relay));
    this.#graces.delete(relay);
    return this.#remembered.delete(relay);
  }

  close(): void {
    for (const timer of this.#graces.values()) clearTimeout(timer);
    this.#graces.clear();
  }
}
