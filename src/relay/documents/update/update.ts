/**
 * Reads a Yjs update (version 1) without Yjs: checks all of it, and remembers where each insertion begins and what it
 * builds on, so that it can be cut. [DOC-1]
 */
import { FrameError } from "../../../wire/index.ts";
import { Allowance, type Counts, type UpdateLimits } from "./allowance.ts";
import { UpdateReader } from "./bytes.ts";
import { GC, SKIP, skipContent } from "./content.ts";

/** Structs of one client that follow each other without a gap. */
export interface Run {
  readonly client: number;
  /** Where each struct begins, and at last where the run ends: clocks. */
  readonly clocks: number[];
  /** The same in `bytes`. */
  readonly offsets: number[];
  /** What structs build on of other clients, in the order of the structs. */
  readonly needs: Need[];
  readonly bytes: Uint8Array;
}

/** A struct of a run builds on a clock of another client. */
export interface Need {
  /** Index of the struct in its run. */
  readonly struct: number;
  readonly client: number;
  readonly clock: number;
}

export interface Deletion {
  readonly client: number;
  readonly clock: number;
  readonly end: number;
}

export interface Update {
  readonly runs: readonly Run[];
  readonly deletions: readonly Deletion[];
  readonly counts: Counts;
  /** Whether it makes types (maps, texts …), which can be nested. */
  readonly hasTypes: boolean;
}

/** Parts of the first byte of an item. */
export const HAS_ORIGIN = 0b1000_0000;
export const HAS_RIGHT_ORIGIN = 0b0100_0000;
export const HAS_PARENT_KEY = 0b0010_0000;

/** Throws `FrameError` for what is malformed, or too much. */
export function readUpdate(bytes: Uint8Array, limits: UpdateLimits): Update {
  const from = new UpdateReader(bytes);
  const allowance = new Allowance(limits);
  const runs: Run[] = [];
  const clients = new Set<number>();
  const sections = from.uint();
  for (let i = 0; i < sections; i++) readSection(from, allowance, clients, runs);
  const deletions = readDeletions(from, allowance);
  if (!from.isAtEnd) throw new FrameError("update has bytes after its end");
  return { runs, deletions, counts: allowance, hasTypes: allowance.types > 0 };
}

function readSection(from: UpdateReader, allowance: Allowance, clients: Set<number>, runs: Run[]): void {
  const count = from.uint();
  const client = from.uint();
  let clock = from.uint();
  if (clients.has(client)) throw new FrameError("update names a client twice");
  clients.add(client);
  allowance.announce(count);
  // a section of nothing costs something too
  if (count === 0) allowance.struct();
  let run: Run | null = null;
  for (let i = 0; i < count; i++) {
    allowance.struct();
    const start = from.at;
    const info = from.byte();
    let length: number;
    if (info === SKIP) {
      length = from.uint();
      if (run !== null) end(run, clock, start);
      run = null;
    } else {
      if (run === null) {
        run = { client, clocks: [], offsets: [], needs: [], bytes: from.bytes };
        runs.push(run);
      }
      run.clocks.push(clock);
      run.offsets.push(start);
      length = info === GC ? from.uint() : readItem(from, info, allowance, run, clock);
    }
    if (length === 0) throw new FrameError("update has a struct of length 0");
    clock += length;
    if (clock > Number.MAX_SAFE_INTEGER) throw new FrameError("update has a number out of range");
  }
  if (run !== null) end(run, clock, from.at);
}

function end(run: Run, clock: number, offset: number): void {
  run.clocks.push(clock);
  run.offsets.push(offset);
}

function readItem(from: UpdateReader, info: number, allowance: Allowance, run: Run, clock: number): number {
  const hasOrigin = (info & HAS_ORIGIN) !== 0;
  const hasRightOrigin = (info & HAS_RIGHT_ORIGIN) !== 0;
  if (hasOrigin) readNeed(from, run, clock);
  if (hasRightOrigin) readNeed(from, run, clock);
  if (!hasOrigin && !hasRightOrigin) {
    const isRoot = from.uint();
    if (isRoot === 1) from.skipText();
    else if (isRoot === 0) readNeed(from, run, clock);
    else throw new FrameError("update has an insertion with an unknown kind of parent");
    if ((info & HAS_PARENT_KEY) !== 0) from.skipText();
  }
  return skipContent(from, info, allowance);
}

function readNeed(from: UpdateReader, run: Run, clock: number): void {
  const client = from.uint();
  const needed = from.uint();
  if (client !== run.client) run.needs.push({ struct: run.clocks.length - 1, client, clock: needed });
  // it builds on itself, or on what its client wrote later [DOC-2]
  else if (needed >= clock) throw new FrameError("update has an insertion that builds on what comes after it");
}

function readDeletions(from: UpdateReader, allowance: Allowance): Deletion[] {
  const deletions: Deletion[] = [];
  const clients = new Set<number>();
  const sections = from.uint();
  for (let i = 0; i < sections; i++) {
    const client = from.uint();
    if (clients.has(client)) throw new FrameError("update names a client twice");
    clients.add(client);
    const count = from.uint();
    allowance.announce(count);
    const first = deletions.length;
    let isSorted = true;
    let last = 0;
    for (let j = 0; j < count; j++) {
      allowance.deletion();
      const clock = from.uint();
      const length = from.uint();
      const next = clock + length;
      if (length === 0) throw new FrameError("update has a deletion of nothing");
      if (next > Number.MAX_SAFE_INTEGER) throw new FrameError("update has a number out of range");
      if (clock < last) isSorted = false;
      last = next;
      deletions.push({ client, clock, end: next });
    }
    if (!isSorted) checkOverlap(deletions.slice(first));
    if (count === 0) allowance.deletion();
  }
  return deletions;
}

function checkOverlap(deletions: readonly Deletion[]): void {
  let last = 0;
  for (const { clock, end: next } of deletions.toSorted((a, b) => a.clock - b.clock)) {
    if (clock < last) throw new FrameError("update deletes the same twice");
    last = next;
  }
}
