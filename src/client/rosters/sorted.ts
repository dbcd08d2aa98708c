/**
 * A list that is kept in order while its members change: a change costs a search, and the next look at the list one copy of
 * it, not a sort. [ROSTER-9]
 */

/** What changed of one member since the list was looked at last: what the list holds of it, and what it is to hold. */
interface Pending<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** If more than this share of the members changed, to sort them all costs less than to look for the place of each. */
const SORTED_SHARE = 1 / 8;

export class SortedList<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #pending = new Map<string, Pending<T>>();
  #items: readonly T[] = Object.freeze([]);
  /** How many members there are. */
  size = 0;

  /** @param compare never 0 for two members that are not the same */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  /** The members in order, frozen; the same array for as long as nothing changed. */
  get items(): readonly T[] {
    if (this.#pending.size > 0) {
      const isSorted = this.#pending.size > SORTED_SHARE * this.#items.length;
      this.#items = Object.freeze(isSorted ? this.#sorted() : this.#merged());
      this.#pending.clear();
    }
    return this.#items;
  }

  /** Takes the change of one member. @param before as it was in the list; undefined: it was not */
  change(id: string, before: T | undefined, after: T | undefined): void {
    this.size += Number(after !== undefined) - Number(before !== undefined);
    const known = this.#pending.get(id);
    const listed = known === undefined ? before : known.before;
    if (listed === after) this.#pending.delete(id);
    else this.#pending.set(id, { before: listed, after });
  }

  #sorted(): T[] {
    const members = new Set(this.#items);
    for (const { before, after } of this.#pending.values()) {
      if (before !== undefined) members.delete(before);
      if (after !== undefined) members.add(after);
    }
    return [...members].toSorted(this.#compare);
  }

  #merged(): T[] {
    const items = this.#items.slice();
    for (const { before, after } of this.#pending.values()) {
      if (before !== undefined) items.splice(this.#placeOf(before, items), 1);
      if (after !== undefined) items.splice(this.#placeOf(after, items), 0, after);
    }
    return items;
  }

  /** Where a member stands among these, or would. */
  #placeOf(member: T, items: readonly T[]): number {
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      // never undefined
      if (this.#compare(items[middle] ?? member, member) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
