/** The latest answers to sync steps 1, by what was asked; an answer holds until the document changes. [DOC-9] */
import { sameBytes } from "../../wire/index.ts";
import type { Packet } from "../packet.ts";

const MAX_ANSWERS = 4;
/** Larger questions are not kept, bytes. */
const MAX_QUESTION = 64 * 1024;

export class Answers {
  #kept: { readonly stateVector: Uint8Array; readonly packet: Packet }[] = [];

  /** @param encode what answers it, if it was not asked before */
  get(stateVector: Uint8Array, encode: () => Packet): Packet {
    const known = this.#kept.find((each) => sameBytes(each.stateVector, stateVector));
    if (known !== undefined) return known.packet;
    const packet = encode();
    if (stateVector.length > MAX_QUESTION) return packet;
    if (this.#kept.length === MAX_ANSWERS) this.#kept.shift();
    this.#kept.push({ stateVector: stateVector.slice(), packet });
    return packet;
  }

  clear(): void {
    if (this.#kept.length > 0) this.#kept = [];
  }
}
