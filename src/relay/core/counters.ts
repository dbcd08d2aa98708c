/** What is counted over the life of a relay. */
import { Close } from "../../wire/index.ts";

/** A connection is told nothing of what is dropped for want of a grant. */
export type Dropped = "awareness" | "document" | "message";

/** These are counted by themselves; a client may close with any. */
const KNOWN: ReadonlySet<number> = new Set([...Object.values(Close), 1005, 1006]);

export class Counters {
  accepted = 0;
  /** How many clients are in rooms and lobbies now. One that is in several counts once for each. */
  here = 0;
  readonly refused: Record<string, number> = {};
  readonly closed: Record<string, number> = {};
  readonly dropped: Partial<Record<Dropped, number>> = {};

  countAccepted(): void {
    this.accepted++;
    this.here++;
  }

  countRefused(because: string): void {
    this.refused[because] = (this.refused[because] ?? 0) + 1;
  }

  countDropped(what: Dropped): void {
    this.dropped[what] = (this.dropped[what] ?? 0) + 1;
  }

  countClosed(code: number): void {
    this.here--;
    const key = KNOWN.has(code) ? `${code}` : "other";
    this.closed[key] = (this.closed[key] ?? 0) + 1;
  }
}
