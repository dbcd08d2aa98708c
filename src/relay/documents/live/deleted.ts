/** Which clocks of a document are deleted. Kept beside Yjs, which walks through the whole document to find out. [DOC-9] */
import * as encoding from "lib0/encoding";
import * as Y from "yjs";

interface Range {
  readonly clock: number;
  readonly end: number;
}

interface Section {
  /** In order, and none touches the next. */
  ranges: Range[];
  encoded: Uint8Array | null;
}

export class DeletedRanges {
  readonly #sections = new Map<number, Section>();

  constructor(store: Y.Doc["store"]) {
    for (const [client, structs] of store.clients) this.#add(client, deletedOf(structs, 0));
  }

  /** Takes in what a transaction deleted, and what it brought that is deleted already. */
  changed({ deleteSet, beforeState, afterState, doc }: Y.Transaction): void {
    for (const [client, items] of deleteSet.clients) {
      this.#add(
        client,
        items.map(({ clock, len }) => ({ clock, end: clock + len })),
      );
    }
    for (const [client, clock] of afterState) {
      const before = beforeState.get(client) ?? 0;
      const structs = doc.store.clients.get(client);
      if (clock === before || structs === undefined) continue;
      this.#add(client, deletedOf(structs, before));
    }
  }

  /** As an update ends. */
  encode(): Uint8Array {
    return encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, this.#sections.size);
      for (const [client, section] of [...this.#sections].toSorted(([a], [b]) => b - a)) {
        section.encoded ??= encodeSection(client, section.ranges);
        encoding.writeUint8Array(encoder, section.encoded);
      }
    });
  }

  /** @param added in order */
  #add(client: number, added: readonly Range[]): void {
    if (added.length === 0) return;
    const section = this.#sections.get(client);
    if (section === undefined) this.#sections.set(client, { ranges: merge([], added), encoded: null });
    else {
      section.ranges = merge(section.ranges, added);
      section.encoded = null;
    }
  }
}

function deletedOf(structs: readonly (Y.GC | Y.Item)[], from: number): Range[] {
  const ranges: Range[] = [];
  const first = from === 0 ? 0 : Y.findIndexSS(structs as (Y.GC | Y.Item)[], from);
  for (let i = first; i < structs.length; i++) {
    const struct = structs[i];
    if (struct === undefined || !struct.deleted) continue;
    ranges.push({ clock: struct.id.clock, end: struct.id.clock + struct.length });
  }
  return ranges;
}

function merge(known: Range[], added: readonly Range[]): Range[] {
  const [first] = added;
  const last = known.at(-1);
  // what is written last is deleted the most
  if (first !== undefined && (last === undefined || first.clock > last.end)) {
    for (const range of added) append(known, range);
    return known;
  }
  if (added.length <= FEW) {
    for (const range of added) insert(known, range);
    return known;
  }
  const merged: Range[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [a, b] = [known[i], added[j]];
    if (a === undefined && b === undefined) return merged;
    if (b === undefined || (a !== undefined && a.clock <= b.clock)) {
      if (a !== undefined) append(merged, a);
      i++;
    } else {
      append(merged, b);
      j++;
    }
  }
}

/** So few are looked up one by one. */
const FEW = 8;

function insert(ranges: Range[], { clock, end }: Range): void {
  const first = firstThat(ranges, (range) => range.end >= clock);
  const next = firstThat(ranges, (range) => range.clock > end);
  const touched = ranges.slice(first, next);
  const from = Math.min(clock, touched[0]?.clock ?? clock);
  ranges.splice(first, next - first, { clock: from, end: Math.max(end, touched.at(-1)?.end ?? end) });
}

/** @param isPast false up to some range, and true from there on */
function firstThat(ranges: readonly Range[], isPast: (range: Range) => boolean): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined || isPast(range)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function append(ranges: Range[], range: Range): void {
  const last = ranges.at(-1);
  if (last === undefined || last.end < range.clock) ranges.push(range);
  else if (last.end < range.end) ranges[ranges.length - 1] = { clock: last.clock, end: range.end };
}

function encodeSection(client: number, ranges: readonly Range[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, ranges.length);
    for (const { clock, end } of ranges) {
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarUint(encoder, end - clock);
    }
  });
}
