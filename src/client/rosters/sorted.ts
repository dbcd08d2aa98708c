/**
 * A list that is kept in order while its members change: a change costs a search, and the next look at the list one copy of
 * it, not a sort. [ROSTER-9]
 */

/** What changed of one member since the list was looked at last: what the list holds of it, and what it is to hold. */
interface Pending<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

export class SortedList<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #pending = new Map<string, Pending<T>>();
  #items: readonly T[] = Object.freeze([]);

  /** @param compare never 0 for two members that are not the same */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  /** The members in order, frozen; the same array for as long as nothing changed. */
  get items(): readonly T[] {
    if (this.#pending.size === 0) return this.#items;
    this.#items = Object.freeze(this.#merged([...this.#pending.values()]));
    this.#pending.clear();
    return this.#items;
  }

  /** Takes the change of one member. @param before as it was in the list; undefined: it was not */
  change(id: string, before: T | undefined, after: T | undefined): void {
    const known = this.#pending.get(id);
    const listed = known === undefined ? before : known.before;
    if (listed === after) this.#pending.delete(id);
    else this.#pending.set(id, { before: listed, after });
  }

  #merged(changes: readonly Pending<T>[]): T[] {
    const items: (T | undefined)[] = this.#items.slice();
    const added: T[] = [];
    let gaps = 0;
    for (const { before, after } of changes) {
      const at = before === undefined ? -1 : this.#indexOf(before);
      // most changes leave a member where it is
      if (at >= 0 && after !== undefined && before !== undefined && this.#compare(before, after) === 0) {
        items[at] = after;
        continue;
      }
      if (at >= 0) {
        items[at] = undefined;
        gaps++;
      }
      if (after !== undefined) added.push(after);
    }
    if (gaps === 0 && added.length === 0) return items as T[];
    return this.#withAdded(items, added.toSorted(this.#compare));
  }

  /** The items without the gaps among them, and what is added in its place. */
  #withAdded(items: readonly (T | undefined)[], added: readonly T[]): T[] {
    const merged: T[] = [];
    let from = 0;
    for (const next of added) {
      const to = this.#placeOf(next, from);
      pushAll(merged, items, from, to);
      merged.push(next);
      from = to;
    }
    pushAll(merged, items, from, items.length);
    return merged;
  }

  #indexOf(member: T): number {
    const at = this.#placeOf(member, 0);
    return this.#items[at] === member ? at : -1;
  }

  /** Where a member stands, or would. */
  #placeOf(member: T, from: number): number {
    let [low, high] = [from, this.#items.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#items[middle];
      if (other !== undefined && this.#compare(other, member) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function pushAll<T>(to: T[], from: readonly (T | undefined)[], start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const item = from[i];
    if (item !== undefined) to.push(item);
  }
}
