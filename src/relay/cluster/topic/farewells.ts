/**
 * Rooms and lobbies that have closed here. The others are told twice that nobody is here any more: after that nothing comes by which a
 * relay could notice that the first word was lost, and it would go on to show those who were here. [BUS-4]
 */

/** How long after the first word the second one is said, ms. */
const AGAIN_MS = 1_000;

export class Farewells {
  readonly #say: (room: string) => void;
  /** When it was said first, monotonic ms: by room, the longest ago first. */
  readonly #said = new Map<string, number>();

  /** @param say tells the others once more that nobody is in a room or lobby any more */
  constructor(say: (room: string) => void) {
    this.#say = say;
  }

  /** A room or lobby has closed, and the others were told so for the first time. */
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

  /** Says it again of the rooms and lobbies of which that is due. */
  sweep(now: number): void {
    for (const [room, at] of this.#said) {
      if (now - at < AGAIN_MS) return;
      this.#said.delete(room);
      this.#say(room);
    }
  }
}
