// @ts-check
/** Messages about the document, as each kind of client finds them. */
import { cursor, readVarint, varintLength, writeVarint } from "../varint.js";
import { SYNC } from "./messages.js";

const STEP_2 = 1;
const UPDATE = 2;

/**
 * @param {Uint8Array} update
 * @returns a sync message with it
 */
export function updateMessage(update) {
  const message = new Uint8Array(2 + varintLength(update.length) + update.length);
  message[0] = SYNC;
  message[1] = UPDATE;
  message.set(update, writeVarint(message, 2, update.length));
  return message;
}

/**
 * The update in a message, if there is one.
 *
 * @param {string} kind  of client
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 */
export function updateIn(kind, bytes, start, end) {
  let at = start;
  if (kind === "hocuspocus") {
    const length = readVarint(bytes, start);
    at = cursor.at + length;
  }
  if (at >= end || bytes[at] !== SYNC || (bytes[at + 1] !== STEP_2 && bytes[at + 1] !== UPDATE)) return null;
  const length = readVarint(bytes, at + 2);
  return bytes.slice(cursor.at, cursor.at + length);
}
