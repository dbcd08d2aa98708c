// @ts-check
/**
 * A client of ours on a server that is not: it sends its own state alone, says that it lives in three bytes, and is granted no
 * subprotocol. On the relay our clients are tabs (see tab.js).
 */
import { ownState } from "../state.js";
import { KEEP_ALIVE, stateMessage } from "./messages.js";
import { stock } from "./stock.js";

/** @type {import("./client.js").ClientKind} */
export const own = {
  ...stock,
  stateMessage: (index) => stateMessage(new Uint8Array(), index, ownState(index)),
  renewal: KEEP_ALIVE,
  echoes: false,
};
