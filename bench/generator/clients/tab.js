// @ts-check
/**
 * A tab with our client: one link, with a channel for the lobby, in which it announces itself but reads nobody, and one for
 * its room. Of its cursor it says what moved, and is told so of others.
 */
import { EnvelopeReader, LAST_PIECE, PIECE, StatesReader, controlFrame, envelope } from "../../../dist/wire/index.js";
import { changePlaces, ownState, userState, writeChange } from "../state.js";
import { cursor, readVarint, varintLength, writeVarint } from "../varint.js";
import { clientFrame } from "../websocket.js";
import { FIRST_ID } from "./client.js";
import { updateMessage } from "./documents.js";
import { KEEP_ALIVE, SYNC, SYNC_STEP_1, SYNC_STEP_2, announcement, stateMessage } from "./messages.js";
import { stock } from "./stock.js";

const STATES = 100;
const PATCH = 101;
/** What happens to a field. */
const KINDS = 4;
const OVERLAY = 3;
/** The cursor stands behind `user` and `copresence`. */
const CURSOR_PLACE = 2;

/** How many kinds of content an envelope's head tells apart. */
const PARTS = 4;
const LINK = 0;
const LOBBY = 1;
const ROOM = 2;
/** What stands before each message of the room. */
const ROOM_HEAD = Uint8Array.of(ROOM * PARTS);

/** @type {import("./client.js").ClientKind} */
export const tab = {
  ...stock,
  subprotocol: "copresence.v3",
  path: () => "/@link",
  greeting: (room, index) => [
    opening(LOBBY, "@lobby"),
    opening(ROOM, room),
    envelope(LOBBY, announcement(index, userState(index))),
    envelope(ROOM, SYNC_STEP_1),
  ],
  updateMessage: (_room, update) => envelope(ROOM, updateMessage(update)),
  stateMessage: (index) => patchMessage(index),
  renewal: envelope(LINK, KEEP_ALIVE),
  echoes: false,
  countStates: (bytes, start) => (bytes[start] === ROOM_HEAD[0] ? countStates(bytes, start + 1) : 0),
  makeReader: () => readerOf(ROOM, eachCursor()),
  reply: (bytes, start) =>
    bytes[start] === ROOM_HEAD[0] && bytes[start + 1] === SYNC && bytes[start + 2] === 0
      ? envelope(ROOM, SYNC_STEP_2)
      : null,
  receipt,
};

/** A tab without a cursor, whose metadata changes in the lobby. @type {import("./client.js").ClientKind} */
export const user = {
  ...tab,
  greeting: (room, index) => [
    opening(LOBBY, "@lobby"),
    opening(ROOM, room),
    envelope(ROOM, announcement(index, userState(index))),
  ],
  stateMessage: (index) => stateMessage(Uint8Array.of(LOBBY * PARTS), index, userState(index)),
};

/** A tab in no room that reads the lobby. @type {import("./client.js").ClientKind} */
export const observer = {
  ...tab,
  greeting: () => [opening(LOBBY, "@lobby"), envelope(LOBBY, SYNC_STEP_1)],
  // it is in no room
  makeReader: () => () => {},
};

/**
 * Puts together what comes in envelopes over one channel.
 *
 * @param {number} wanted
 * @param {(message: Uint8Array, visit: import("./client.js").StateVisitor) => void} read
 * @returns {import("./client.js").StatesReader}
 */
function readerOf(wanted, read) {
  const reader = new EnvelopeReader();
  return (bytes, start, end, visit) => {
    // what is kept of it must outlive the buffer that all sockets are read into
    const { channel, message } = reader.read(Uint8Array.from(bytes.subarray(start, end)));
    if (channel === wanted && message !== null) read(message, visit);
  };
}

/**
 * Has what the lobby says read, whole message by whole message.
 *
 * @param {(message: Uint8Array) => void} read
 * @returns {(bytes: Uint8Array, start: number, end: number) => void}
 */
export function lobbyMessages(read) {
  const each = readerOf(LOBBY, (message) => read(message));
  return (bytes, start, end) => each(bytes, start, end, () => {});
}

/** @returns {(message: Uint8Array, visit: import("./client.js").StateVisitor) => void} */
function eachCursor() {
  const reader = new StatesReader();
  return (message, visit) => {
    if (message[0] !== STATES) return;
    for (const { id, fields } of reader.read(message.subarray(1))) {
      const value = fields?.get("cursor");
      // the brace that ends a whole state is not there
      if (value !== undefined) visit(id, 0, value.length + 1, false, value);
    }
  };
}

/**
 * What says that a piece of a message has been read: the relay sends only as many as are read.
 *
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} length
 */
function receipt(bytes, start, length) {
  const part = readVarint(bytes, start) % PARTS;
  if (part !== PIECE && part !== LAST_PIECE) return null;
  return envelope(LINK, controlFrame({ kind: "read", bytes: length - (cursor.at - start) }));
}

/**
 * @param {number} channel
 * @param {string} room
 */
function opening(channel, room) {
  return envelope(LINK, controlFrame({ kind: "open", channel, room }));
}

/**
 * Whole at first, and then what changes.
 *
 * @param {number} index
 * @returns {import("./client.js").StateMessage}
 */
function patchMessage(index) {
  const state = ownState(index);
  const whole = stateMessage(ROOM_HEAD, index, state);
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
      message.frame = clientFrame([ROOM_HEAD, payload]);
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
