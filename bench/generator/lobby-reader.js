// @ts-check
/** Reads a lobby's document as its users do, with Yjs, and says which changes of whom it sees. */
import * as decoding from "lib0/decoding";
import * as Y from "yjs";
import { changeOf } from "./state.js";
import { SYNC } from "./clients/messages.js";

const STEP_2 = 1;
const UPDATE = 2;

/** @typedef {{ sessions?: Record<string, { meta?: { at?: { clock?: number } } }> }} LobbyUser */

export class LobbyReader {
  #doc = new Y.Doc();
  #onChange;

  /** @param {(userId: string, change: number) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    this.#doc.getMap("shards").observeDeep((events) => {
      for (const { target, keysChanged } of /** @type {Y.YMapEvent<LobbyUser>[]} */ (events)) {
        for (const key of keysChanged) this.#look(key, target.get(key));
      }
    });
  }

  /** The whole document, as one update: it came in parts. */
  get snapshot() {
    return Y.encodeStateAsUpdate(this.#doc);
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} start
   * @param {number} end
   */
  read(bytes, start, end) {
    const decoder = decoding.createDecoder(bytes.subarray(start, end));
    if (decoding.readVarUint(decoder) !== SYNC) return;
    const step = decoding.readVarUint(decoder);
    if (step !== STEP_2 && step !== UPDATE) return;
    // the buffer that it is read from is soon written to again
    const update = decoding.readVarUint8Array(decoder).slice();
    Y.applyUpdate(this.#doc, update);
  }

  /**
   * @param {string} userId
   * @param {LobbyUser | undefined} user
   */
  #look(userId, user) {
    for (const { meta } of Object.values(user?.sessions ?? {})) this.#onChange(userId, changeOf(meta));
  }
}

/**
 * How long Yjs takes to read a snapshot, ms.
 *
 * @param {Uint8Array} snapshot
 */
export function decodeTime(snapshot) {
  const startedAt = performance.now();
  Y.applyUpdate(new Y.Doc(), snapshot);
  return performance.now() - startedAt;
}
