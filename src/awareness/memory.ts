/**
 * What all states of a relay take together, and of whom. A state takes far more memory than its text is long, so that many
 * small ones would fill a process that no single limit protects. [LIMIT-9] Pure but for its own sums.
 */
import type { StateBytes } from "../wire/index.ts";

/** Bytes that a state takes besides its fields, and a field besides its value, about: as objects. */
const BYTES_PER_STATE = 1_000;
const BYTES_PER_FIELD = 150;
/** Once the bound is passed, only those may bring more whose states take less than this part of it. */
const SMALL_SHARE = 1 / 64;
/** Nobody may bring more once there is so many times what the bound says. */
const MOST = 2;

/** How many bytes the states of one client id take, as its author wrote them and as observers get them. */
export function sizeInMemory(authored: StateBytes, published: StateBytes): number {
  const size = BYTES_PER_STATE + authored.size + BYTES_PER_FIELD * authored.fields.size;
  // most of its values are the same objects
  return authored === published ? size : size + BYTES_PER_STATE;
}

export class StateMemory {
  readonly #max: number;
  readonly #byPayer = new Map<string, number>();
  #bytes = 0;

  /** @param max bytes; 0: any number */
  constructor(max: number) {
    this.#max = max === 0 ? Infinity : max;
  }

  /** Bytes that all states take, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether somebody's states may take so many bytes more. */
  mayGrow(payer: string, bytes: number): boolean {
    const sum = this.#bytes + bytes;
    if (bytes <= 0 || sum <= this.#max) return true;
    return sum <= this.#max * MOST && (this.#byPayer.get(payer) ?? 0) + bytes <= this.#max * SMALL_SHARE;
  }

  /** Somebody's states take so many bytes more, or less. */
  changed(payer: string, bytes: number): void {
    if (bytes === 0) return;
    this.#bytes += bytes;
    const own = (this.#byPayer.get(payer) ?? 0) + bytes;
    if (own > 0) this.#byPayer.set(payer, own);
    else this.#byPayer.delete(payer);
  }
}
