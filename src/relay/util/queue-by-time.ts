/** A queue of what becomes due at some time, earliest first: a binary heap. */

interface Due<T> {
  readonly at: number;
  readonly item: T;
}

export class QueueByTime<T> {
  readonly #heap: Due<T>[] = [];

  /** When the first becomes due; null: the queue is empty. */
  get dueAt(): number | null {
    return this.#heap[0]?.at ?? null;
  }

  add(item: T, at: number): void {
    let place = this.#heap.push({ at, item }) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(place, parent)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  /** Takes the first that is due by now. */
  take(now: number): T | undefined {
    const [first] = this.#heap;
    if (first === undefined || first.at > now) return undefined;
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first.item;
  }

  #sink(): void {
    for (let place = 0; ;) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      let earliest = place;
      if (this.#isBefore(left, earliest)) earliest = left;
      if (this.#isBefore(right, earliest)) earliest = right;
      if (earliest === place) return;
      this.#swap(place, earliest);
      place = earliest;
    }
  }

  /** What there is not is before nothing. */
  #isBefore(a: number, b: number): boolean {
    return (this.#heap[a]?.at ?? Infinity) < (this.#heap[b]?.at ?? Infinity);
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
