/**
 * Updates that were found right, and wait to be taken together: one transaction for all that people typed since the last
 * flush, and one message about it. What may wait, and when it is settled, `shared.ts` says. [DOC-22]
 */
import type { Plan } from "./update/plan.ts";
import type { Deletion, Update } from "./update/update.ts";
import { isRelay } from "../ports/member.ts";

/** What people type is smaller: bytes. Anything larger is taken at once. */
const SMALL_BYTES = 1024;
/** At most this many wait: while they are taken, nobody else is heard. */
const MAX_UPDATES = 64;

/** An update that waits. */
export interface Queued {
  readonly read: Update;
  readonly planned: Plan;
  readonly deletions: readonly Deletion[];
  /** How much the document grows by it. */
  readonly parts: number;
  /** The member that sent it. */
  readonly from: unknown;
}

/** What waited, as one. */
export interface Joined {
  readonly planned: Plan;
  readonly deletions: readonly Deletion[];
  readonly hasTypes: boolean;
  readonly parts: number;
}

/** Whether an update is like what people type. */
export function isSmall(bytes: number, { counts }: Update): boolean {
  return bytes <= SMALL_BYTES && counts.subdocuments === 0;
}

export class UpdateQueue {
  #queued: Queued[] = [];
  #parts = 0;
  /** Of each client id, up to which clock what waits reaches. */
  readonly #reached = new Map<number, number>();

  get isEmpty(): boolean {
    return this.#queued.length === 0;
  }

  /** How much the document grows by what waits. */
  get parts(): number {
    return this.#parts;
  }

  /** Up to which clock a client is known, with what waits; undefined: nothing of it waits. */
  reached(client: number): number | undefined {
    return this.#reached.get(client);
  }

  /** Whether another may wait with these. What came from another relay is told to others than what came from here. */
  accepts(from: unknown): boolean {
    const [first] = this.#queued;
    if (first === undefined) return true;
    if (this.#queued.length === MAX_UPDATES) return false;
    return first.from === from || !(isRelay(first.from) || isRelay(from));
  }

  add(queued: Queued): void {
    this.#queued.push(queued);
    this.#parts += queued.parts;
    for (const [client, clock] of queued.planned.reached) this.#reached.set(client, clock);
  }

  /** Takes all that waits out of it. */
  takeAll(): readonly Queued[] {
    const queued = this.#queued;
    this.#queued = [];
    this.#parts = 0;
    this.#reached.clear();
    return queued;
  }
}

/** Makes one of all that waited. */
export function joined(queued: readonly Queued[]): Joined {
  const reached = new Map<number, number>();
  for (const { planned } of queued) for (const [client, clock] of planned.reached) reached.set(client, clock);
  return {
    planned: { pieces: queued.flatMap(({ planned }) => planned.pieces), blocked: [], reached },
    deletions: queued.flatMap(({ deletions }) => deletions),
    hasTypes: queued.some(({ read }) => read.hasTypes),
    parts: queued.reduce((sum, { parts }) => sum + parts, 0),
  };
}

/** Whose all of it is; null: of several. */
export function soleAuthor(queued: readonly Queued[]): unknown {
  const [first] = queued;
  return first !== undefined && queued.every(({ from }) => from === first.from) ? first.from : null;
}
