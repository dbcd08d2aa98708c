/**
 * What the states of all rooms take together, and who brought them. Pure but for its own sums. [WIRE-9] [WIRE-12] [WIRE-13]
 */
import { Close, FrameError, type StateBytes } from "../wire/index.ts";
import { type Entry, isPresent } from "./entry.ts";
import type { Published } from "./publish.ts";

/** What the relay remembers of a state besides its bytes, and of each of its fields, about: bytes. */
const BYTES_PER_STATE = 300;
const BYTES_PER_FIELD = 50;
/** What it remembers of one who left, about: bytes. */
export const DEPARTED_BYTES = 1_000;
/** A client that is here already may change a state of no more than this, however much all states take, bytes. [WIRE-13] */
export const SMALL_STATE_BYTES: number = 4 * 1024;
/** One address may have this part of what all states may take: another address always finds room. [WIRE-12] */
const ADDRESS_PART = 1 / 2;

/** What a state takes, about, in bytes: as its author wrote it, and as it is published. */
export function weightOf(authored: StateBytes, published: StateBytes): number {
  return BYTES_PER_STATE + sizeOf(authored) + (published === authored ? 0 : sizeOf(published));
}

function sizeOf(state: StateBytes): number {
  return state.size + state.fields.size * BYTES_PER_FIELD;
}

export class StateMemory {
  readonly #max: number;
  #bytes = 0;
  readonly #byAddress = new Map<string, number>();

  /** @param max bytes; 0: any number */
  constructor(max: number) {
    this.#max = max === 0 ? Infinity : max;
  }

  /** What all states take, about: bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws a `FrameError` if states from an address may not take so much more, in bytes. */
  admit(address: string, more: number): void {
    const own = this.#byAddress.get(address) ?? 0;
    if (this.#bytes + more <= this.#max && own + more <= this.#max * ADDRESS_PART) return;
    throw new FrameError("no room for more states", Close.overloaded);
  }

  /** Throws a `FrameError` if all states together may not take so much more, in bytes: whatever other relays say counts, too. [BUS-45] */
  admitFromRelay(more: number): void {
    if (this.#bytes + more > this.#max)
      throw new FrameError("no room for more states of other relays", Close.overloaded);
  }

  /** The states that came from an address take more now, or less. @param change bytes */
  changed(address: string, change: number): void {
    this.#bytes += change;
    const own = (this.#byAddress.get(address) ?? 0) + change;
    if (own > 0) this.#byAddress.set(address, own);
    else this.#byAddress.delete(address);
  }
}

/** How many bytes more all states would take with this one; 0: no more, or too little to be refused for (WIRE-13). */
export function growthOf(entry: Entry | undefined, { authored, state }: Published): number {
  const weight = weightOf(authored, state);
  if (!isPresent(entry)) return weight;
  return weight <= SMALL_STATE_BYTES ? 0 : Math.max(0, weight - entry.weight);
}
