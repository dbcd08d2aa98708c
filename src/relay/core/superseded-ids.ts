/**
 * Stock clients that have lost an id of theirs to a connection which counts as later, and have not been told, since nothing that they
 * understand says so. They would take a state of that id for a newer one of their own. So they are told of its end alone, upon which
 * they speak up. [LIVE-10]
 */
import type { PresentEntry } from "../../awareness/index.ts";
import type { StateUpdate } from "../../awareness/audience/index.ts";
import type { Member } from "../ports/member.ts";

/** A client has one id, seldom two. Of more that one connection has lost, the first are forgotten. */
const MAX_IDS = 16;

export class SupersededIds {
  readonly #ids = new Map<unknown, Set<number>>();

  /** Another connection speaks for an id of a member now. */
  add(member: Member, id: number): void {
    if (member.kind !== "stock") return;
    const ids = this.#ids.get(member) ?? new Set();
    this.#ids.set(member, ids.add(id));
    for (const first of ids) if (ids.size > MAX_IDS) ids.delete(first);
  }

  /** A client speaks for an id, and knows it. */
  claimed({ id, owner }: PresentEntry): void {
    const ids = this.#ids.get(owner);
    if (ids?.delete(id) === true && ids.size === 0) this.#ids.delete(owner);
  }

  left(member: Member): void {
    this.#ids.delete(member);
  }

  /** Whether a member has lost an id, and does not know that. */
  has(member: Member): boolean {
    return this.#ids.has(member);
  }

  /** What a member is told of: the same list where that is all. */
  without(member: Member, updates: readonly StateUpdate[]): readonly StateUpdate[] {
    const ids = this.#ids.get(member);
    if (ids === undefined) return updates;
    return updates.filter(({ publication, state }) => state === null || !ids.has(publication.id));
  }
}
