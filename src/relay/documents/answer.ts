/** A document, or a part of it, as messages to those who read it. */
import { EMPTY_UPDATE, syncStep2Frame, updateFrame } from "../../wire/index.ts";
import { Packet } from "../ports/packet.ts";
import { splitUpdate } from "./update/split.ts";

const NOTHING = new Packet(syncStep2Frame(EMPTY_UPDATE));

/**
 * What was written, as messages that are none of them long. [STORE-9]
 *
 * @param isOwn this relay has encoded it itself, just now. Default: false
 */
export function updatePackets(update: Uint8Array, maxBytes?: number, isOwn?: boolean): readonly Packet[] {
  return splitUpdate(update, maxBytes, isOwn).map((part) => new Packet(updateFrame(part)));
}

/**
 * The answer to a sync step 1. The message that is the answer proper comes last, since a client takes its document for whole
 * once it has read that one: what comes before it are updates like any other. [STORE-10]
 *
 * @param updates one after the other; none: there is nothing to be told
 * @param maxBytes how long the update in a message may be; default: as long as that of any document
 */
export function answerOf(updates: readonly Uint8Array[], maxBytes?: number): readonly Packet[] {
  const parts = updates.flatMap((update) => splitUpdate(update, maxBytes));
  const last = parts.pop();
  if (last === undefined) return [NOTHING];
  return [...parts.map((part) => new Packet(updateFrame(part))), new Packet(syncStep2Frame(last))];
}
