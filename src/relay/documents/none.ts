/** The document of a room in a hub that carries presence alone: there is none, and nothing of it is taken. */
import { EMPTY_UPDATE, syncStep2Frame } from "../../wire/index.ts";
import { Packet } from "../ports/packet.ts";
import type { RoomDocument } from "./document.ts";

/** A client that asks is answered all the same: a stock client that hears nothing believes that it is not connected. */
const NOTHING: readonly Packet[] = [new Packet(syncStep2Frame(EMPTY_UPDATE))];

export const noDocument: RoomDocument = {
  hasContent: false,
  isReady: true,
  isUnsettled: false,
  whenReady: (run) => run(),
  ask: () => null,
  sync: () => NOTHING,
  apply() {},
  settle() {},
  secure() {},
  keepHistory() {},
  close() {},
};
