/**
 * Rooms and lobbies that have closed here. The others are told twice that nobody is here any more: after that nothing comes by which a
 * relay could notice that the first word was lost, and it would go on to show those who were here. [BUS-4]
 */

/** How long after the first word the second one is said, ms. */
const AGAIN_MS = 1_000;

export class Farewells {
  /** When it was said first, monotonic ms: by room, the longest ago first. */
  readonly #said = new Map<string, number>();

  said(room: string, at: number): void {
    this.#said.set(room, at);
  }

  /** The room, or the lobby, is open again: somebody is here. */
  forget(room: string): void {
    this.#said.delete(room);
  }

  /** The bus is lost, and nobody would hear it: all is asked for once the bus is back. */
  clear(): void {
    this.#said.clear();
  }

  /** The rooms and lobbies of which it is to be said again now. */
  takeDue(now: number): readonly string[] {
    const due = [...this.#said].filter(([, at]) => now - at >= AGAIN_MS).map(([room]) => room);
    for (const room of due) this.#said.delete(room);
    return due;
  }
}
