// @ts-check
/** A y-websocket client with the awareness state of an editor binding. */
import { stockState } from "../state.js";
import { updateMessage } from "./documents.js";
import { SYNC, SYNC_STEP_1, SYNC_STEP_2, countStates, eachState, stateMessage, withoutState } from "./messages.js";

/** @type {import("./client.js").ClientKind} */
export const stock = {
  subprotocol: null,
  path: (room) => `/${room}`,
  greeting: () => [SYNC_STEP_1],
  updateMessage: (_room, update) => updateMessage(update),
  stateMessage: (index) => stateMessage(new Uint8Array(), index, stockState(index)),
  renewal: null,
  echoes: true,
  countStates,
  eachState: (bytes, start, _end, visit) => eachState(bytes, start, visit),
  withoutState: (bytes, start, end, from, to) => withoutState(bytes, start, end, start, from, to),
  reply: (bytes, start) => (bytes[start] === SYNC && bytes[start + 1] === 0 ? SYNC_STEP_2 : null),
};
