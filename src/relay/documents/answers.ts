/** The latest answers to sync steps 1, by what was asked; an answer holds until the document changes. [DOC-9] */
import { sameBytes } from "../../wire/index.ts";

const MAX_ANSWERS = 4;
/** Larger questions are not kept, bytes. */
const MAX_QUESTION = 64 * 1024;

/** @typeParam Answer a packet, or several */
export class Answers<Answer> {
  #kept: { readonly stateVector: Uint8Array; readonly answer: Answer }[] = [];

  /** @param encode what answers it, if it was not asked before */
  get(stateVector: Uint8Array, encode: () => Answer): Answer {
    const known = this.#kept.find((each) => sameBytes(each.stateVector, stateVector));
    if (known !== undefined) return known.answer;
    const answer = encode();
    if (stateVector.length > MAX_QUESTION) return answer;
    if (this.#kept.length === MAX_ANSWERS) this.#kept.shift();
    this.#kept.push({ stateVector: stateVector.slice(), answer });
    return answer;
  }

  clear(): void {
    if (this.#kept.length > 0) this.#kept = [];
  }
}
