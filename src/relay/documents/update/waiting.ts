/** What waits until the document knows a client up to some clock; found again in the time that a heap takes. */
export class Waiting<T> {
  readonly #heaps = new Map<number, Entry<T>[]>();

  get empty(): boolean {
    return this.#heaps.size === 0;
  }

  /** Keeps something until `client` is known beyond `clock`. */
  add(client: number, clock: number, value: T): void {
    let heap = this.#heaps.get(client);
    if (heap === undefined) this.#heaps.set(client, (heap = []));
    push(heap, { clock, value });
  }

  /** Gives out what waits for no more than `reached`, the next unknown clock of a client. */
  take(client: number, reached: number): T[] {
    const heap = this.#heaps.get(client);
    if (heap === undefined) return [];
    const taken: T[] = [];
    for (let top = heap[0]; top !== undefined && top.clock < reached; top = heap[0]) {
      taken.push(top.value);
      pop(heap);
    }
    if (heap.length === 0) this.#heaps.delete(client);
    return taken;
  }

  /** Forgets all that `isKept` is false for. */
  filter(isKept: (value: T) => boolean): void {
    for (const [client, heap] of this.#heaps) {
      const kept = heap.filter(({ value }) => isKept(value)).toSorted((a, b) => a.clock - b.clock);
      if (kept.length === 0) this.#heaps.delete(client);
      else this.#heaps.set(client, kept);
    }
  }
}

interface Entry<T> {
  readonly clock: number;
  readonly value: T;
}

function push<T>(heap: Entry<T>[], entry: Entry<T>): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up];
    if (parent === undefined || parent.clock <= entry.clock) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = entry;
}

function pop<T>(heap: Entry<T>[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let down = 2 * at + 1;
    let child = heap[down];
    const other = heap[down + 1];
    if (child !== undefined && other !== undefined && other.clock < child.clock) {
      child = other;
      down++;
    }
    if (child === undefined || child.clock >= last.clock) break;
    heap[at] = child;
    at = down;
  }
  heap[at] = last;
}
