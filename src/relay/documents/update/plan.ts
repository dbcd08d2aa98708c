/**
 * Which structs of an update can be integrated now, in which order, and what the rest waits for: what Yjs would find out
 * while it integrates, and then keep to itself. Linear in the update. Pure. [DOC-3]
 */
import { partsOf } from "./allowance.ts";
import { tooMuchWaits } from "./refusal.ts";
import type { Deletion, Run, Update } from "./update.ts";
import { Waiting } from "./waiting.ts";

/** How far a run has been taken. */
export interface Cursor {
  readonly run: Run;
  /** Index of the struct that comes next. */
  readonly at: number;
  /** Index of the need that is looked at next. */
  readonly need: number;
}

/** Structs of a run that can be integrated after all pieces before. */
export interface Piece {
  readonly run: Run;
  readonly from: number;
  readonly to: number;
}

/** The rest of a run, until a client is known beyond a clock. */
export interface Blocked {
  readonly cursor: Cursor;
  readonly client: number;
  readonly clock: number;
}

export interface Plan {
  readonly pieces: readonly Piece[];
  readonly blocked: readonly Blocked[];
  /** Clients that get further, and the next clock of each that will be unknown. */
  readonly reached: ReadonlyMap<number, number>;
}

export function begin(run: Run): Cursor {
  return { run, at: 0, need: 0 };
}

/** @param stateOf the next clock of a client that the document does not know */
export function plan(cursors: readonly Cursor[], stateOf: (client: number) => number): Plan {
  const [only] = cursors;
  if (only !== undefined && cursors.length === 1) {
    const { piece, rest } = advance(only, stateOf);
    // what somebody types is one run, and mostly none of it has to wait
    if (rest === null) return planOf(piece);
  }
  const pieces: Piece[] = [];
  const reached = new Map<number, number>();
  const waiting = new Waiting<Blocked>();
  const blocked = new Set<Blocked>();
  const known = (client: number): number => reached.get(client) ?? stateOf(client);
  // as Yjs has it: the highest clients first make the fewest conflicts, so the last of the stack
  const stack = [...cursors].toSorted(
    (a, b) => a.run.client - b.run.client || clockAt(b.run, b.at) - clockAt(a.run, a.at),
  );
  for (let cursor = stack.pop(); cursor !== undefined; cursor = stack.pop()) {
    const { run } = cursor;
    const { piece, rest } = advance(cursor, known);
    if (rest !== null) {
      waiting.add(rest.client, rest.clock, rest);
      blocked.add(rest);
    }
    if (piece === null) continue;
    pieces.push(piece);
    const next = clockAt(run, piece.to);
    reached.set(run.client, next);
    for (const each of waiting.take(run.client, next)) {
      blocked.delete(each);
      stack.push(each.cursor);
    }
  }
  return { pieces, blocked: [...blocked], reached };
}

/** @param piece null: all of it is known */
function planOf(piece: Piece | null): Plan {
  if (piece === null) return { pieces: [], blocked: [], reached: new Map() };
  return { pieces: [piece], blocked: [], reached: new Map([[piece.run.client, clockAt(piece.run, piece.to)]]) };
}

/** Where a struct of a run begins, or the run ends. */
export function clockAt(run: Run, index: number): number {
  return run.clocks[index] ?? Infinity;
}

function advance(
  { run, at, need }: Cursor,
  known: (client: number) => number,
): { readonly piece: Piece | null; readonly rest: Blocked | null } {
  const count = run.clocks.length - 1;
  const own = known(run.client);
  let from = at;
  // what is known is left out: it might build on something else than it did when it was taken
  while (from < count && clockAt(run, from + 1) <= own) from++;
  if (from === count) return { piece: null, rest: null };
  const start = clockAt(run, from);
  if (start > own)
    return { piece: null, rest: { cursor: { run, at: from, need }, client: run.client, clock: start - 1 } };
  let next = need;
  for (let each = run.needs[next]; each !== undefined; each = run.needs[++next]) {
    const { struct, client, clock } = each;
    if (struct < from || clock < known(client)) continue;
    const rest = { cursor: { run, at: struct, need: next }, client, clock };
    return { piece: struct > from ? { run, from, to: struct } : null, rest };
  }
  return { piece: { run, from, to: count }, rest: null };
}

/** Which deletions are of what is known once the plan is carried out, and which come too early. */
export function divide<T extends Deletion>(
  deletions: readonly T[],
  planned: Plan,
  stateOf: (client: number) => number,
  mostEarly: number = Infinity,
): { readonly ready: readonly Deletion[]; readonly early: readonly T[] } {
  const { reached } = planned;
  const ready: Deletion[] = [];
  const early: T[] = [];
  for (const deletion of deletions) {
    const { client, clock, end } = deletion;
    const known = reached.get(client) ?? stateOf(client);
    if (early.length > mostEarly) throw tooMuchWaits();
    if (end <= known) ready.push(deletion);
    else if (clock >= known) early.push(deletion);
    else {
      ready.push({ client, clock, end: known });
      early.push({ ...deletion, clock: known });
    }
  }
  return { ready, early };
}

/** How much a document grows by an update, of which some may be known. */
export function grownBy({ counts }: Update, { pieces }: Plan, deletions: number): number {
  const added = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
  const share = counts.structs === 0 ? 0 : added / counts.structs;
  return partsOf({ ...counts, structs: added, values: counts.values * share, deletions });
}
