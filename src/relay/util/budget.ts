/** Bounds on memory that many share. */
import { getHeapStatistics } from "node:v8";

/** A part of the memory that this process may fill, in bytes: of the limit of its heap, which `node` takes from the machine. */
export function partOfHeap(part: number): number {
  return Math.floor(getHeapStatistics().heap_size_limit * part);
}

/** How many bytes of something may be held at once. Pure but for its own sum. */
export class MemoryBudget {
  readonly #max: number;
  #used = 0;

  /** @param max bytes; 0: any number */
  constructor(max: number) {
    this.#max = max === 0 ? Infinity : max;
  }

  /** Bytes that are held now. */
  get used(): number {
    return this.#used;
  }

  get isOver(): boolean {
    return this.#used > this.#max;
  }

  /** How many bytes above a part of what may be held are held now; 0 when there are none. */
  excess(part: number): number {
    return Math.max(0, this.#used - this.#max * part);
  }

  /** Whether there is room for so many more. */
  fits(bytes: number): boolean {
    return this.#used + bytes <= this.#max;
  }

  /** Takes room, if there is any. Returns false, and takes none, when there is not. */
  reserve(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    this.#used += bytes;
    return true;
  }

  /** Counts what is held already, whether or not there is room. */
  add(bytes: number): void {
    this.#used += bytes;
  }

  /** Gives back what was reserved or added. */
  release(bytes: number): void {
    this.#used -= bytes;
  }
}
