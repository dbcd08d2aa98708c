/**
 * Makes several updates of a long one, so that a message of each is short: over a slow line a client that hears no whole
 * message for 30 s gives its connection up, and would be sent the same again. [STORE-9]
 *
 * The parts are to be applied in order: none builds on what comes in a later one, and what is deleted is told in the part
 * that brings it. Linear in the update. Pure.
 */
import * as encoding from "lib0/encoding";
import { cutStruct } from "./cut.ts";
import { begin, plan } from "./plan.ts";
import { type Deletion, type Run, type Update, readUpdate } from "./update.ts";
import { writeDeletions } from "./write.ts";

/** The longest message of a document that the relay sends at once, bytes; but one value of a document is never cut. */
const MAX_MESSAGE = 256 * 1024;
/** The longest update in such a message: before it stand its type and its length. */
const MAX_PART = MAX_MESSAGE - 16;
/** What a deletion takes at most, bytes; and what begins a part or the structs of a client. */
const DELETION_BYTES = 18;
const SECTION_BYTES = 32;

const ANY = { maxUpdateStructs: Infinity, maxSubdocuments: Infinity };

/** Structs of one client that follow each other, in bytes as they are written. */
interface Section {
  readonly clock: number;
  end: number;
  count: number;
  readonly bytes: Uint8Array[];
}

/** One of the updates that are made, as far as it has come. */
interface Part {
  bytes: number;
  readonly sections: Map<number, Section>;
  readonly deletions: Deletion[];
}

/**
 * @param update for one who has all that it builds on
 * @param maxBytes how long each part may be
 * @param isOwn this relay has encoded it itself, just now: what it holds as JSON is not checked. Default: false
 * @returns the update itself if it is short, or if some of it builds on what it leaves out
 */
export function splitUpdate(
  update: Uint8Array,
  maxBytes: number = MAX_PART,
  isOwn: boolean = false,
): readonly Uint8Array[] {
  if (update.length <= maxBytes) return [update];
  const read = readUpdate(update, { ...ANY, isOwn });
  const first = firstClocks(read);
  const { pieces, blocked } = plan(read.runs.map(begin), (client) => first.get(client) ?? Infinity);
  if (blocked.length > 0) return [update];
  const splitter = new Splitter(read.deletions, maxBytes);
  for (const { run, from, to } of pieces) for (let i = from; i < to; i++) splitter.add(run, i);
  return splitter.end();
}

/** Where what is written of each client begins: before that, the reader knows all. */
function firstClocks({ runs }: Update): ReadonlyMap<number, number> {
  const first = new Map<number, number>();
  for (const { client, clocks } of runs) if (!first.has(client)) first.set(client, clocks[0] ?? 0);
  return first;
}

class Splitter {
  readonly #maxBytes: number;
  readonly #done: Uint8Array[] = [];
  /** What of each client is deleted and has not been told, in order of clocks. */
  readonly #deletions: ReadonlyMap<number, Deletion[]>;
  #part: Part = begun();

  constructor(deletions: readonly Deletion[], maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#deletions = byClient(deletions);
  }

  add(run: Run, index: number): void {
    const start = run.offsets[index] ?? 0;
    const end = run.offsets[index + 1] ?? start;
    const clock = run.clocks[index] ?? 0;
    if (end - start <= this.#maxBytes / 2) {
      return this.#append(run.client, clock, run.clocks[index + 1] ?? clock, run.bytes.subarray(start, end));
    }
    let at = clock;
    for (const { bytes, length } of cutStruct(run, index, this.#maxBytes / 2)) {
      this.#append(run.client, at, at + length, bytes);
      at += length;
    }
  }

  /** What is left of the deletions is of what the reader knows already. */
  end(): readonly Uint8Array[] {
    for (const [client, ranges] of this.#deletions) {
      for (const range of ranges.toReversed()) this.#delete({ ...range, client });
    }
    this.#finish();
    return this.#done;
  }

  #append(client: number, clock: number, end: number, bytes: Uint8Array): void {
    this.#makeRoom(bytes.length + SECTION_BYTES + DELETION_BYTES);
    this.#part.bytes += bytes.length;
    const section = this.#part.sections.get(client);
    if (section?.end === clock) {
      section.end = end;
      section.count++;
      section.bytes.push(bytes);
    } else {
      this.#part.bytes += SECTION_BYTES;
      this.#part.sections.set(client, { clock, end, count: 1, bytes: [bytes] });
    }
    this.#deleteUpTo(client, end);
  }

  /** Tells which clocks of a client are deleted, of those that have been told. */
  #deleteUpTo(client: number, end: number): void {
    const ranges = this.#deletions.get(client) ?? [];
    for (let next = ranges.at(-1); next !== undefined && next.clock < end; next = ranges.at(-1)) {
      ranges.pop();
      if (next.end > end) ranges.push({ ...next, clock: end });
      this.#delete({ client, clock: next.clock, end: Math.min(next.end, end) });
    }
  }

  #delete(deletion: Deletion): void {
    const last = this.#part.deletions.at(-1);
    if (last?.client === deletion.client && last.end === deletion.clock) {
      this.#part.deletions[this.#part.deletions.length - 1] = { ...last, end: deletion.end };
      return;
    }
    this.#makeRoom(DELETION_BYTES);
    this.#part.bytes += DELETION_BYTES;
    this.#part.deletions.push(deletion);
  }

  #makeRoom(bytes: number): void {
    if (this.#part.bytes > 0 && this.#part.bytes + bytes > this.#maxBytes) this.#finish();
  }

  #finish(): void {
    const { sections, deletions } = this.#part;
    if (sections.size === 0 && deletions.length === 0) return;
    this.#done.push(
      encoding.encode((encoder) => {
        encoding.writeVarUint(encoder, sections.size);
        for (const [client, { count, clock, bytes }] of sections) {
          encoding.writeVarUint(encoder, count);
          encoding.writeVarUint(encoder, client);
          encoding.writeVarUint(encoder, clock);
          for (const each of bytes) encoding.writeUint8Array(encoder, each);
        }
        writeDeletions(encoder, deletions);
      }),
    );
    this.#part = begun();
  }
}

function begun(): Part {
  return { bytes: 0, sections: new Map(), deletions: [] };
}

/** Those with the lowest clocks last. */
function byClient(deletions: readonly Deletion[]): Map<number, Deletion[]> {
  const groups = new Map<number, Deletion[]>();
  for (const deletion of deletions) {
    const known = groups.get(deletion.client);
    if (known === undefined) groups.set(deletion.client, [deletion]);
    else known.push(deletion);
  }
  for (const [client, ranges] of groups)
    groups.set(
      client,
      ranges.toSorted((a, b) => b.clock - a.clock),
    );
  return groups;
}
