/** The states of which members that read too slowly have missed something. [FLOW-1] */
import type { Publication } from "../../awareness/index.ts";
import type { StateUpdate } from "../../awareness/audience/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { Member } from "../ports/member.ts";

/** A member that has lagged for longer is not told what it missed, ms: who left so long ago is not remembered. */
const MAX_LAG_MS = 60_000;

interface Missed {
  readonly publications: Set<Publication>;
  /** When the member began to lag, monotonic ms. */
  readonly since: number;
}

export class MissedStates {
  readonly #clock: Clock;
  readonly #missed = new Map<Member, Missed>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a member is to be told these updates later, since it lags or has yet to be told what it missed before. */
  skips(member: Member, updates: readonly StateUpdate[]): boolean {
    let missed = this.#missed.get(member);
    if (missed === undefined) {
      if (!member.lagging) return false;
      missed = { publications: new Set(), since: this.#clock.now() };
      this.#missed.set(member, missed);
    }
    for (const { publication } of updates) missed.publications.add(publication);
    return true;
  }

  /** Returns what a member has missed something of, which it is told now; null: it lagged for so long that nobody knows all of it. */
  take(member: Member): readonly Publication[] | null {
    const missed = this.#missed.get(member);
    if (missed === undefined) return [];
    this.#missed.delete(member);
    return this.#clock.now() - missed.since > MAX_LAG_MS ? null : [...missed.publications];
  }

  /** A member is gone. */
  left(member: Member): void {
    this.#missed.delete(member);
  }

  clear(): void {
    this.#missed.clear();
  }
}
