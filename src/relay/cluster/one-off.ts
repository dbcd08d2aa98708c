/**
 * One-off messages between relays. They are not numbered, and nobody asks again for one that was lost. They come on the topic of their
 * room, behind the states that were sent before them. [MSG-6]
 */
import * as encoding from "lib0/encoding";
import { readRest, readText, reader } from "../../wire/index.ts";
import type { Room } from "../core/room.ts";
import { readMessage } from "../messages/room-messages.ts";

/** @param message as JSON. @param lobby those of this lobby alone are meant; null: everybody */
export function messageBody(message: string, lobby: string | null): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarString(encoder, lobby ?? "");
    encoding.writeUint8Array(encoder, new TextEncoder().encode(message));
  });
}

/** Hands a message of another relay to those who are here. Throws `FrameError` for one that cannot be read. */
export function takeMessage(room: Room, body: Uint8Array): void {
  const from = reader(body);
  const lobby = readText(from);
  room.messages.hand(readMessage(readRest(from)), lobby === "" ? null : lobby);
}
