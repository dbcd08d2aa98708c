/** How many client ids, and with them users, connections from each address have brought. [LOBBY-11] */
import { Close, FrameError } from "../../wire/index.ts";

export class AddressIds {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  /** @param max from one address; 0: any number */
  constructor(max: number) {
    this.#max = max;
  }

  /** Throws a `FrameError` if so many more may not come from an address. */
  admit(address: string, more: number): void {
    if (this.#max === 0 || more === 0 || (this.#counts.get(address) ?? 0) + more <= this.#max) return;
    throw new FrameError("too many people from your address", Close.overloaded);
  }

  count(address: string, change: 1 | -1): void {
    const ids = (this.#counts.get(address) ?? 0) + change;
    if (ids > 0) this.#counts.set(address, ids);
    else this.#counts.delete(address);
  }
}
