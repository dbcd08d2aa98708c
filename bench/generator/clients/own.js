// @ts-check
/** A client of ours: it trusts the relay, sends its own state alone, and says that it lives in three bytes. */
import { ownState, userState } from "../state.js";
import { KEEP_ALIVE, stateMessage } from "./messages.js";
import { stock } from "./stock.js";

/** @type {import("./client.js").ClientKind} */
export const own = {
  ...stock,
  subprotocol: "copresence.v1",
  stateMessage: (index) => stateMessage(new Uint8Array(), index, ownState(index)),
  renewal: KEEP_ALIVE,
  echoes: false,
};

/** One who has no cursor, but metadata that changes. @type {import("./client.js").ClientKind} */
export const user = {
  ...own,
  stateMessage: (index) => stateMessage(new Uint8Array(), index, userState(index)),
};
