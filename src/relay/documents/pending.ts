/**
 * What came before the things that it builds on: insertions and deletions of a document that wait. They are held outside
 * of Yjs, which would read all of them again with each update. [DOC-14]
 */
import { type Blocked, type Cursor, begin } from "./update/plan.ts";
import { tooMuchWaits } from "./update/refusal.ts";
import type { Deletion, Run } from "./update/update.ts";
import { Waiting } from "./update/waiting.ts";

/** A deletion that waited, and who sent it. */
export interface HeldDeletion extends Deletion {
  readonly from: unknown;
}

export interface Taken {
  readonly cursors: readonly Cursor[];
  readonly deletions: readonly HeldDeletion[];
}

interface Share {
  /** Insertions and deletions. */
  readonly parts: number;
  readonly bytes: number;
}

/** What is held together. */
interface Entry extends Share {
  readonly from: unknown;
  readonly what: Cursor | Deletion;
  /** The same is held once, however often it is sent. */
  readonly key: string;
  /** It waits until this client is known beyond this clock. */
  readonly client: number;
  readonly clock: number;
}

const NOTHING: Share = { parts: 0, bytes: 0 };
const NOBODY = {};
/** What the relay remembers of a part besides its bytes, about. */
const BYTES_PER_PART = 64;

/** What comes of several connections together may be so many times what comes of one. */
const SHARES = 4;
const MAX_BYTES = 4 * 2 ** 20;

export class Pending {
  readonly #maxParts: number;
  readonly #waiting = new Waiting<Entry>();
  readonly #held = new Map<string, Entry>();
  readonly #shares = new Map<unknown, Share>();
  /** Who sent the runs that are held. */
  readonly #owners = new WeakMap<Run, unknown>();
  #total = NOTHING;

  /** @param maxParts how many insertions and deletions of one connection may wait */
  constructor(maxParts: number) {
    this.#maxParts = maxParts;
  }

  get empty(): boolean {
    return this.#held.size === 0;
  }

  /** Insertions and deletions that wait. */
  get parts(): number {
    return this.#total.parts;
  }

  get bytes(): number {
    return this.#total.bytes;
  }

  /**
   * What is to be held of an update, for `add`. Throws `FrameError` when one connection has too much waiting. [DOC-4]
   *
   * @param from who sent it
   */
  admit(blocked: readonly Blocked[], deletions: readonly Deletion[], from: unknown): readonly Entry[] {
    if (blocked.length === 0 && deletions.length === 0) return [];
    // so many may be held already, and be the same
    const parts = blocked.reduce(
      (count, { cursor }) => count + cursor.run.clocks.length - 1 - cursor.at,
      deletions.length,
    );
    if (parts > this.#maxParts + this.#total.parts) throw tooMuchWaits();
    const entries = [
      ...blocked.map((each) => this.#heldRun(each, from)),
      ...deletions.map((each) => heldDeletion(each, from)),
    ].filter(({ key }) => !this.#held.has(key));
    const share = entries.reduce(sum, this.#shares.get(from) ?? NOTHING);
    if (this.#exceeds(share, 1)) throw tooMuchWaits();
    return entries;
  }

  add(entries: readonly Entry[]): void {
    // [DOC-13] what waits of the connection with the most gives way: it comes again when its client connects again
    while (this.#shares.size > 0 && this.#exceeds(entries.reduce(sum, this.#total), SHARES)) this.#forgetLargest();
    for (const entry of entries) this.#add(entry);
  }

  /** Holds again what is left of that which was taken out. */
  holdAgain(blocked: readonly Blocked[], deletions: readonly HeldDeletion[]): void {
    for (const each of blocked) this.#add(this.#heldRun(each, this.#owners.get(each.cursor.run) ?? NOBODY));
    for (const each of deletions) this.#add(heldDeletion(each, each.from));
  }

  /** Gives out what waited for these clients, which are known up to these clocks. */
  take(reached: ReadonlyMap<number, number>): Taken {
    const cursors: Cursor[] = [];
    const deletions: HeldDeletion[] = [];
    if (this.empty) return { cursors, deletions };
    for (const [client, clock] of reached) {
      for (const held of this.#waiting.take(client, clock)) {
        this.#held.delete(held.key);
        this.#count(held, -1);
        if ("run" in held.what) cursors.push(held.what);
        else deletions.push({ ...held.what, from: held.from });
      }
    }
    return { cursors, deletions };
  }

  #add(entry: Entry): void {
    if (this.#held.has(entry.key)) return;
    this.#held.set(entry.key, entry);
    this.#count(entry, 1);
    this.#waiting.add(entry.client, entry.clock, entry);
  }

  #heldRun({ cursor, client, clock }: Blocked, from: unknown): Entry {
    const isOwn = this.#owners.has(cursor.run);
    // what was cut already is cut again only when half of it is gone, or each struct would cost as much as all
    const rest = isOwn && cursor.at * 2 < cursor.run.clocks.length ? cursor : begin(cut(cursor));
    const { run, at } = rest;
    this.#owners.set(run, from);
    const last = run.clocks.length - 1;
    const key = `${run.client}:${run.clocks[at]}:${run.clocks[last]}`;
    return { from, parts: last - at, bytes: run.bytes.length + BYTES_PER_PART * last, what: rest, key, client, clock };
  }

  #exceeds({ parts, bytes }: Share, times: number): boolean {
    return parts > this.#maxParts * times || bytes > MAX_BYTES * times;
  }

  #forgetLargest(): void {
    const [largest] = [...this.#shares].toSorted(([, a], [, b]) => b.bytes + b.parts - a.bytes - a.parts);
    if (largest === undefined) return;
    const [from] = largest;
    this.#waiting.filter((held) => held.from !== from);
    for (const [key, held] of this.#held) {
      if (held.from !== from) continue;
      this.#held.delete(key);
      this.#count(held, -1);
    }
  }

  #count({ from, parts, bytes }: Entry, times: 1 | -1): void {
    const change = { parts: times * parts, bytes: times * bytes };
    this.#total = sum(this.#total, change);
    const share = sum(this.#shares.get(from) ?? NOTHING, change);
    if (share.parts === 0) this.#shares.delete(from);
    else this.#shares.set(from, share);
  }
}

function sum(a: Share, b: Share): Share {
  return { parts: a.parts + b.parts, bytes: a.bytes + b.bytes };
}

function heldDeletion({ client, clock, end }: Deletion, from: unknown): Entry {
  const what = { client, clock, end };
  return { from, parts: 1, bytes: 2 * BYTES_PER_PART, what, key: `${client}-${clock}-${end}`, client, clock };
}

/** The rest of a run by itself, so that it does not keep the whole update it came with. */
function cut({ run, at }: Cursor): Run {
  const offset = run.offsets[at] ?? 0;
  return {
    client: run.client,
    clocks: run.clocks.slice(at),
    offsets: run.offsets.slice(at).map((each) => each - offset),
    needs: run.needs.filter(({ struct }) => struct >= at).map((need) => ({ ...need, struct: need.struct - at })),
    bytes: run.bytes.slice(offset, run.offsets.at(-1)),
  };
}
