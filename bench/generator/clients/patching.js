// @ts-check
/** A client of ours that negotiated patches: it says of its cursor what moved, and is told so of others. */
import { StatesReader } from "../../../dist/wire/index.js";
import { changePlaces, ownState, writeChange } from "../state.js";
import { readVarint, varintLength, writeVarint } from "../varint.js";
import { clientFrame } from "../websocket.js";
import { FIRST_ID } from "./client.js";
import { stateMessage } from "./messages.js";
import { own } from "./own.js";

const STATES = 100;
const PATCH = 101;
/** What happens to a field. */
const KINDS = 4;
const OVERLAY = 3;
/** The cursor stands behind `user` and `copresence`. */
const CURSOR_PLACE = 2;

/** @type {import("./client.js").ClientKind} */
export const patching = {
  ...own,
  subprotocol: "copresence.v2",
  stateMessage: (index) => patchMessage(index),
  countStates,
  makeReader: () => {
    const reader = new StatesReader();
    return (bytes, start, end, visit) => {
      if (bytes[start] !== STATES) return;
      // what it keeps must outlive the buffer that all sockets are read into
      for (const { id, fields } of reader.read(Uint8Array.from(bytes.subarray(start + 1, end)))) {
        const value = fields?.get("cursor");
        // the brace that ends a whole state is not there
        if (value !== undefined) visit(id, 0, value.length + 1, false, value);
      }
    };
  },
};

/**
 * Whole at first, and then what changes.
 *
 * @param {number} index
 * @returns {import("./client.js").StateMessage}
 */
function patchMessage(index) {
  const state = ownState(index);
  const whole = stateMessage(new Uint8Array(), index, state);
  const [first = 0, last = 0] = changePlaces(state).map((place) => state.length - place);
  const cursorAt = state.indexOf('"cursor":') + '"cursor":'.length;
  const id = FIRST_ID + index;
  let isAnnounced = false;
  const message = {
    frame: whole.frame,
    /**
     * @param {number} change
     * @param {number} clock
     */
    set(change, clock) {
      if (!isAnnounced) {
        isAnnounced = true;
        whole.set(change, clock);
        message.frame = whole.frame;
        return;
      }
      const numbers = [PATCH, id, clock, CURSOR_PLACE * KINDS + OVERLAY + 1, 2];
      const places = [first - cursorAt, last - first - 7];
      const length = numbers.reduce((sum, number) => sum + varintLength(number), 0) + 2 * (2 + 7) + 1;
      const payload = new Uint8Array(length);
      let at = 0;
      for (const number of numbers) at = writeVarint(payload, at, number);
      for (const place of places) {
        at = writeVarint(payload, writeVarint(payload, at, place), 7);
        writeChange(payload, at, change);
        at += 7;
      }
      message.frame = clientFrame([payload]);
    },
  };
  return message;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start
 */
function countStates(bytes, start) {
  return bytes[start] === STATES ? readVarint(bytes, start + 1) : 0;
}
