// @ts-check
/** Messages of the y-websocket protocol, which every server here speaks in its way. */
import { clientFrame } from "../websocket.js";
import { changePlaces, writeChange } from "../state.js";
import { cursor, readVarint, varintLength, writeVarint } from "../varint.js";
import { FIRST_ID } from "./client.js";

export const SYNC = 0;
export const AWARENESS = 1;

/** "What do you have that is not in an empty document?" */
export const SYNC_STEP_1 = Uint8Array.of(SYNC, 0, 1, 0);
/** "All that I have": nothing. */
export const SYNC_STEP_2 = Uint8Array.of(SYNC, 1, 2, 0, 0);
/** An awareness update of no states. */
export const KEEP_ALIVE = Uint8Array.of(AWARENESS, 1, 0);

const NULL_LENGTH = 4;

/**
 * A message with one state, ready to be sent again and again with other digits and clocks.
 *
 * @param {Uint8Array} prefix  what precedes the message type
 * @param {number} index
 * @param {Uint8Array} state
 * @returns {import("./client.js").StateMessage}
 */
export function stateMessage(prefix, index, state) {
  const places = changePlaces(state);
  const id = FIRST_ID + index;
  const stateLength = varintLength(state.length) + state.length;
  let clockLength = 0;
  let clockAt = 0;

  /** @param {number} clock */
  const build = (clock) => {
    clockLength = varintLength(clock);
    const updateLength = 1 + varintLength(id) + clockLength + stateLength;
    const payload = new Uint8Array(prefix.length + 1 + varintLength(updateLength) + updateLength);
    payload.set(prefix);
    let at = writeVarint(payload, prefix.length, AWARENESS);
    at = writeVarint(payload, at, updateLength);
    at = writeVarint(payload, at, 1);
    at = writeVarint(payload, at, id);
    const clockEnd = writeVarint(payload, at, clock);
    payload.set(state, writeVarint(payload, clockEnd, state.length));
    const frame = clientFrame([payload]);
    clockAt = frame.length - payload.length + at;
    return frame;
  };

  const message = {
    frame: build(1),
    /**
     * @param {number} change
     * @param {number} clock
     */
    set(change, clock) {
      if (varintLength(clock) === clockLength) writeVarint(message.frame, clockAt, clock);
      else message.frame = build(clock);
      for (const place of places) writeChange(message.frame, message.frame.length - place, change);
    },
  };
  return message;
}

/**
 * The message with which a client says its state for the first time.
 *
 * @param {number} index
 * @param {Uint8Array} state
 */
export function announcement(index, state) {
  const numbers = [1, FIRST_ID + index, 1, state.length];
  const length = numbers.reduce((sum, number) => sum + varintLength(number), 0) + state.length;
  const message = new Uint8Array(1 + varintLength(length) + length);
  let at = writeVarint(message, writeVarint(message, 0, AWARENESS), length);
  for (const number of numbers) at = writeVarint(message, at, number);
  message.set(state, at);
  return message;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start  where the message type stands
 */
export function countStates(bytes, start) {
  if (bytes[start] !== AWARENESS) return 0;
  readVarint(bytes, start + 1);
  return readVarint(bytes, cursor.at);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start  where the message type stands
 * @param {import("./client.js").StateVisitor} visit
 */
export function eachState(bytes, start, visit) {
  if (bytes[start] !== AWARENESS) return;
  readVarint(bytes, start + 1);
  let left = readVarint(bytes, cursor.at);
  let { at } = cursor;
  for (; left > 0; left--) {
    const from = at;
    const id = readVarint(bytes, at);
    const clock = readVarint(bytes, cursor.at);
    const length = readVarint(bytes, cursor.at);
    at = cursor.at + length;
    visit(id, clock, at, length === NULL_LENGTH, bytes, from);
  }
}

/**
 * A message of states once more, without the one between `from` and `to`: in three pieces.
 *
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @param {number} typeAt  where the message type stands
 * @param {number} from
 * @param {number} to
 */
export function withoutState(bytes, start, end, typeAt, from, to) {
  readVarint(bytes, typeAt + 1);
  const count = readVarint(bytes, cursor.at) - 1;
  const first = cursor.at;
  const prefixLength = typeAt - start;
  const updateLength = varintLength(count) + (from - first) + (end - to);
  const head = new Uint8Array(prefixLength + 1 + varintLength(updateLength) + varintLength(count));
  head.set(bytes.subarray(start, typeAt));
  writeVarint(head, writeVarint(head, writeVarint(head, prefixLength, AWARENESS), updateLength), count);
  return [head, bytes.subarray(first, from), bytes.subarray(to, end)];
}
