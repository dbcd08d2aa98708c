/** Which documents changed: each is told once it has been quiet for a while, or has not been for long. [HOOK-13] */

/** A document is told when nobody has written it for so long, ms; or when it has been written for so long. */
const QUIET_MS = 2_000;
const LONGEST_MS = 10_000;

interface Edit {
  readonly firstAt: number;
  lastAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Edits {
  readonly #edits = new Map<string, Edit>();
  readonly #now: () => number;
  readonly #begun: (room: string) => void;
  readonly #due: (room: string) => void;

  /**
   * @param now monotonic ms
   * @param begun told of the first change of a document that has been told, or never was changed
   * @param due told when the change of a document is to be told
   */
  constructor(now: () => number, begun: (room: string) => void, due: (room: string) => void) {
    this.#now = now;
    this.#begun = begun;
    this.#due = due;
  }

  /** A document changed. It costs next to nothing: this comes with each keystroke. */
  changed(room: string): void {
    const now = this.#now();
    const known = this.#edits.get(room);
    if (known !== undefined) {
      known.lastAt = now;
      return;
    }
    const edit: Edit = { firstAt: now, lastAt: now, timer: undefined };
    this.#edits.set(room, edit);
    this.#wait(room, edit, now);
    this.#begun(room);
  }

  /** Tells all that has yet to be told, and waits for nothing any more. */
  close(): void {
    for (const [room, { timer }] of this.#edits) {
      clearTimeout(timer);
      this.#due(room);
    }
    this.#edits.clear();
  }

  #wait(room: string, edit: Edit, now: number): void {
    const dueAt = Math.min(edit.lastAt + QUIET_MS, edit.firstAt + LONGEST_MS);
    if (dueAt > now) {
      edit.timer = setTimeout(() => this.#wait(room, edit, this.#now()), dueAt - now);
      return;
    }
    this.#edits.delete(room);
    this.#due(room);
  }
}
