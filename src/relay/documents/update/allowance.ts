/** Counts what one update is made of, and stops its reader as soon as it is too much. [DOC-6] */
import { tooLarge } from "./refusal.ts";

export interface UpdateLimits {
  /** Parts of one update: see `partsOf`. */
  readonly maxUpdateStructs: number;
  /** Subdocuments of one document, and of one update. */
  readonly maxSubdocuments: number;
  /** This relay has encoded the update itself: JSON in it is passed over, and neither checked nor counted. Default: false. */
  readonly isOwn?: boolean;
}

export interface Counts {
  /** Insertions, garbage and gaps. */
  readonly structs: number;
  /** Values inside of them. */
  readonly values: number;
  /** Ranges of deletions. */
  readonly deletions: number;
  readonly subdocuments: number;
}

/** A value takes far less memory and time than an insertion. */
const VALUES_PER_PART = 8;

/** What an update or a document counts as. */
export function partsOf({ structs, values, deletions }: Counts): number {
  return structs + values / VALUES_PER_PART + deletions;
}

export class Allowance implements Counts {
  structs = 0;
  values = 0;
  deletions = 0;
  subdocuments = 0;
  types = 0;
  /** JSON need not be looked into. */
  readonly isOwn: boolean;
  readonly #limits: UpdateLimits;

  constructor(limits: UpdateLimits) {
    this.isOwn = limits.isOwn === true;
    this.#limits = limits;
  }

  /** An update says how much follows: what would be too much need not be read. */
  announce(count: number): void {
    if (partsOf(this) + count > this.#limits.maxUpdateStructs) this.#refuse();
  }

  struct(): void {
    this.structs++;
    this.#check();
  }

  value(): void {
    this.values++;
    this.#check();
  }

  deletion(): void {
    this.deletions++;
    this.#check();
  }

  type(): void {
    this.types++;
  }

  subdocument(): void {
    this.subdocuments++;
    const { maxSubdocuments } = this.#limits;
    if (this.subdocuments > maxSubdocuments) throw tooLarge(`update has more than ${maxSubdocuments} subdocuments`);
  }

  #check(): void {
    if (partsOf(this) > this.#limits.maxUpdateStructs) this.#refuse();
  }

  #refuse(): never {
    throw tooLarge(`update has more than ${this.#limits.maxUpdateStructs} insertions`);
  }
}
