/**
 * Stock clients that have not answered the first question yet. Until then nobody knows which of the states here are their own: a
 * client may have announced a state before it lost its connection, and has come back. [LIVE-10]
 */
import type { Register } from "../../awareness/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { Member } from "../ports/member.ts";

/** The answer is waited for no longer than this, ms. */
const PATIENCE_MS = 10_000;

interface Newcomer {
  /** When it came, monotonic ms. */
  readonly since: number;
  /** The ids of stock clients that were here then. */
  readonly ids: ReadonlySet<number>;
}

export class Unanswered {
  readonly #register: Register;
  readonly #clock: Clock;
  readonly #newcomers = new Map<Member, Newcomer>();

  constructor(register: Register, clock: Clock) {
    this.#register = register;
    this.#clock = clock;
  }

  /** A stock client has come. */
  joined(member: Member): void {
    const ids = new Set<number>();
    for (const { id, isStock } of this.#register.present()) if (isStock) ids.add(id);
    this.#newcomers.set(member, { since: this.#clock.now(), ids });
  }

  /** A stock client has answered, or is gone. */
  settled(member: Member): void {
    this.#newcomers.delete(member);
  }

  /** The ids that may be the own ones of a member that has yet to answer; null: it has answered, or is not waited for any more. */
  idsOf(member: Member): ReadonlySet<number> | null {
    const newcomer = this.#newcomers.get(member);
    return newcomer !== undefined && this.#clock.now() - newcomer.since <= PATIENCE_MS ? newcomer.ids : null;
  }
}
