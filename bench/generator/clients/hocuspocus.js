// @ts-check
/** A client of @hocuspocus/provider: each message names its document, and the first is a token. */
import { stockState } from "../state.js";
import { updateMessage } from "./documents.js";
import { cursor, readVarint } from "../varint.js";
import { SYNC_STEP_1, SYNC_STEP_2, SYNC, countStates, eachState, stateMessage, withoutState } from "./messages.js";

const AUTH = 2;
const TOKEN = 0;

/** @type {import("./client.js").ClientKind} */
export const hocuspocus = {
  subprotocol: null,
  path: () => "/",
  greeting: (room) => [addressed(room, Uint8Array.of(AUTH, TOKEN, 0)), addressed(room, SYNC_STEP_1)],
  updateMessage: (room, update) => addressed(room, updateMessage(update)),
  stateMessage: (index, room) => stateMessage(addressed(room, new Uint8Array()), index, stockState(index)),
  renewal: null,
  echoes: true,
  countStates: (bytes, start) => countStates(bytes, afterAddress(bytes, start)),
  eachState: (bytes, start, _end, visit) => eachState(bytes, afterAddress(bytes, start), visit),
  withoutState: (bytes, start, end, from, to) => withoutState(bytes, start, end, afterAddress(bytes, start), from, to),
  reply: (bytes, start, _end, room) => {
    const at = afterAddress(bytes, start);
    return bytes[at] === SYNC && bytes[at + 1] === 0 ? addressed(room, SYNC_STEP_2) : null;
  },
};

/**
 * @param {string} room  short
 * @param {Uint8Array} message
 */
function addressed(room, message) {
  const name = Buffer.from(room);
  return Buffer.concat([Uint8Array.of(name.length), name, message]);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start
 */
function afterAddress(bytes, start) {
  const length = readVarint(bytes, start);
  return cursor.at + length;
}
