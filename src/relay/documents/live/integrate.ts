/**
 * Hands pieces of updates to Yjs, and stops Yjs when that takes very long: with some structs, each takes as long as the
 * document is large. [DOC-16]
 */
import * as Y from "yjs";
import { FrameError } from "../../../wire/index.ts";
import { MAX_DEPTH } from "../update/content.ts";
import { type Piece, clockAt } from "../update/plan.ts";
import { tooLarge } from "../update/refusal.ts";
import type { Deletion } from "../update/update.ts";
import { writeUpdate } from "../update/write.ts";
import { WatchedClients } from "./watched.ts";

/** How much is handed to Yjs at first, and at most: structs or deletions. */
const FIRST_CHUNK = 500;
const LARGEST_CHUNK = 20_000;
/** What takes less by the clock has not taken too much of the processor's time: to ask the processor takes longer, ms. */
const LONG_MS = 20;
/** A chunk that takes less is followed by one of twice its size, ms. */
const QUICK_MS = 10;
/** What an update may take at least, and more for each of its parts: processor time, ms. A usual part takes 0.002 ms. */
const FIXED_MS = 500;
const MS_PER_PART = 0.006;
const TOO_LONG = "update takes too long to integrate";

/**
 * Integrates all of it. Throws when Yjs does, or for what takes too long or is nested too deep; the document is then to
 * be thrown away.
 *
 * @param hasTypes whether there are types among the pieces
 */
export function integrate(
  doc: Y.Doc,
  pieces: readonly Piece[],
  deletions: readonly Deletion[],
  hasTypes: boolean,
): void {
  const parts = pieces.reduce((sum, { from, to }) => sum + to - from, deletions.length);
  const limit = FIXED_MS + parts * MS_PER_PART;
  const stopwatch = new Stopwatch();
  const check = (): void => {
    if (stopwatch.isOver(limit)) throw tooLarge(TOO_LONG);
  };
  const apply = (size: number, now: readonly Piece[], gone: readonly Deletion[]): number => {
    check();
    const before = performance.now();
    Y.applyUpdate(doc, writeUpdate(now, gone));
    if (performance.now() - before > QUICK_MS) return Math.max(1, size >> 1);
    return Math.min(LARGEST_CHUNK, size * 2);
  };
  const { clients } = doc.store;
  Y.transact(
    doc,
    () => {
      if (clients instanceof WatchedClients) clients.onWork = check;
      try {
        let size = FIRST_CHUNK;
        const rest = pieces.toReversed();
        while (rest.length > 0) size = apply(size, takeChunk(rest, size), []);
        // before anything is deleted: that goes as deep as types are nested
        if (hasTypes) checkDepth(doc, pieces);
        for (let i = 0; i < deletions.length;) {
          const chunk = deletions.slice(i, i + size);
          i += chunk.length;
          size = apply(size, [], chunk);
        }
      } finally {
        if (clients instanceof WatchedClients) clients.onWork = null;
      }
    },
    null,
    false,
  );
}

/** Says whether something has taken too much of the processor's time, and asks the processor only when that may be. */
class Stopwatch {
  readonly #startedAt = performance.now();
  /** By the clock and by the processor, ms, once it has taken long. */
  #from: { readonly clock: number; readonly used: number } | null = null;

  isOver(limit: number): boolean {
    const clock = performance.now() - this.#startedAt;
    if (clock < LONG_MS) return false;
    // what came before is believed to have been the processor's time
    const from = (this.#from ??= { clock, used: processorMs() });
    return clock > limit && from.clock + processorMs() - from.used > limit;
  }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Takes pieces from the end of a list until there are so many structs. */
function takeChunk(rest: Piece[], size: number): Piece[] {
  const chunk: Piece[] = [];
  const runs = new Map<number, Piece["run"]>();
  let count = 0;
  for (let piece = rest.pop(); piece !== undefined; piece = rest.pop()) {
    const { run, from, to } = piece;
    const other = runs.get(run.client);
    // an update has one section for a client, which must be of one run
    if (count === size || (other !== undefined && other !== run)) {
      rest.push(piece);
      return chunk;
    }
    runs.set(run.client, run);
    const end = Math.min(to, from + size - count);
    chunk.push({ run, from, to: end });
    count += end - from;
    if (end < to) rest.push({ run, from: end, to });
  }
  return chunk;
}

/** Refuses types that are nested too deep. [DOC-7] */
function checkDepth(doc: Y.Doc, pieces: readonly Piece[]): void {
  const depths: Depths = new Map();
  for (const { run, from, to } of pieces) {
    const structs = doc.store.clients.get(run.client) ?? [];
    const end = clockAt(run, to);
    for (let i = Y.findIndexSS(structs, clockAt(run, from)); i < structs.length; i++) {
      const struct = structs[i];
      if (struct === undefined || struct.id.clock >= end) break;
      if (struct instanceof Y.Item && struct.content instanceof Y.ContentType) checkType(struct.content.type, depths);
    }
  }
}

type Depths = Map<Y.AbstractType<unknown>, number>;

function checkType(type: Y.AbstractType<unknown>, depths: Depths): void {
  const chain: Y.AbstractType<unknown>[] = [];
  let depth = 0;
  for (let each: Y.AbstractType<unknown> | null = type; each !== null; each = each.parent) {
    const known = depths.get(each);
    if (known !== undefined) {
      depth = known;
      break;
    }
    chain.push(each);
    if (chain.length > MAX_DEPTH) break;
  }
  for (const each of chain.toReversed()) depths.set(each, ++depth);
  if (depth > MAX_DEPTH) throw new FrameError("update has types nested too deep");
}
