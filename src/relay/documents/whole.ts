/**
 * A long document as it was at some moment, in the messages that newcomers are sent. While people write, those who come next
 * are sent the same messages, and what was written since: to encode and divide the whole for each of them would keep the
 * relay from everybody else.
 */
import { syncStep2Frame, updateFrame } from "../../wire/index.ts";
import { Packet } from "../ports/packet.ts";
import { answerOf } from "./answer.ts";
import type { LiveDocument } from "./live/live.ts";
import { splitUpdate } from "./update/split.ts";
import type { StateVector } from "./update/state-vector.ts";

/** What was written since may be as long as this part of the whole. Then the whole is made anew. */
const MAX_SINCE = 1 / 4;

export class WholeDocument {
  /** The answer to one who comes before anybody writes. */
  readonly answer: readonly Packet[];
  readonly #size: number;
  readonly #states: StateVector;
  /** All parts but the last are in `answer`, as messages of the same kind. */
  readonly #last: Packet;

  /** @returns null: it is short enough for one message */
  static of(update: Uint8Array, live: LiveDocument): WholeDocument | null {
    const parts = splitUpdate(update);
    return parts.length < 2 ? null : new WholeDocument(parts, update.length, new Map(live.states));
  }

  private constructor(parts: readonly Uint8Array[], size: number, states: StateVector) {
    const packets = parts.map((part) => new Packet(updateFrame(part)));
    const last = parts.at(-1) ?? new Uint8Array();
    this.answer = [...packets.slice(0, -1), new Packet(syncStep2Frame(last))];
    this.#last = packets.at(-1) ?? new Packet(updateFrame(last));
    this.#size = size;
    this.#states = states;
  }

  /** The answer to one who comes later; null: so much was written since that the whole had better be made anew. */
  since(live: LiveDocument): readonly Packet[] | null {
    let update: Uint8Array;
    try {
      update = live.encodeSince(this.#states);
    } catch {
      return null;
    }
    if (update.length > this.#size * MAX_SINCE) return null;
    return [...this.answer.slice(0, -1), this.#last, ...answerOf([update])];
  }
}
