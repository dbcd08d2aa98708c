/** A server's one-off message to everybody in a room. [MSG-7] */
import { type Json, checkJson } from "../../presence/index.ts";
import {
  MAX_DEPTH,
  MAX_PAYLOAD_BYTES,
  checkRoomName,
  encode,
  isMessageType,
  json,
  checkedLobbyRoom,
} from "../../wire/index.ts";
import type { Hub } from "../core/hub.ts";
import { messageText } from "../messages/room-messages.ts";

/** What a server says, and to whom. */
export interface ServerMessage {
  readonly room: string;
  readonly type: string;
  readonly payload: Json;
  /** The lobby whose people are meant: `acme` for `@lobby/acme`. Default: everybody in the room. */
  readonly lobby?: string | undefined;
}

/** Other relays, if there are any. */
export interface MessageBus {
  broadcast(room: string, message: string, lobby: string | null): void;
}

/** Broadcasts for servers: on this relay, and on all others that share a bus with it. */
export class Broadcaster {
  readonly #hub: Hub;
  readonly #bus: () => MessageBus | null;

  constructor(hub: Hub, bus: () => MessageBus | null) {
    this.#hub = hub;
    this.#bus = bus;
  }

  /**
   * Returns to how many connections of this relay it goes.
   *
   * @throws RangeError for a name that is no room's, and a type or payload that is too long; TypeError for what JSON cannot hold
   */
  send({ room: name, type, payload, lobby: named }: ServerMessage): number {
    checkMessage(name, type, payload);
    const lobby = named === undefined ? null : checkedLobbyRoom(named);
    const message = messageText({ type, payload, from: null, timestamp: this.#hub.dates.date() });
    this.#bus()?.broadcast(name, message, lobby);
    const room = this.#hub.rooms.get(name);
    room?.messages.hand(message, lobby);
    return room?.messages.countReceivers(lobby) ?? 0;
  }
}

function checkMessage(room: string, type: string, payload: unknown): void {
  checkRoomName(room);
  if (room.startsWith("@")) throw new RangeError("a message goes to a room, and no room begins with @");
  if (!isMessageType(type)) throw new RangeError("the type of a message is a text of 1 to 128 characters");
  checkJson(payload, "payload");
  const text = JSON.stringify(payload);
  const { length } = encode(text);
  if (length > MAX_PAYLOAD_BYTES) {
    throw new RangeError(`a payload of ${length} bytes is too large: a message takes ${MAX_PAYLOAD_BYTES}`);
  }
  try {
    json(text, MAX_DEPTH - 2);
  } catch {
    throw new RangeError(`a payload is nested deeper than ${MAX_DEPTH - 2} levels`);
  }
}
