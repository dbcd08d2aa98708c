/** One-off messages in a room: reactions, "look here". Those who are there get them; nobody who comes later does. */
import type { Json } from "../presence/index.ts";

/** Most bytes of a payload, as JSON. */
export const MAX_PAYLOAD_BYTES: number = 16 * 2 ** 10;
/** Most characters of a type. */
export const MAX_TYPE_LENGTH = 128;

/** Who sent a message, by the relay's word. */
export interface MessageAuthor {
  readonly userId: string;
  /** The id of the tab or device. */
  readonly session: string;
  /** The id of its awareness state in the room. */
  readonly clientId: number;
}

/** A one-off message, as it arrives. */
export interface RoomMessage {
  /** The application's own word for what it is. */
  readonly type: string;
  readonly payload: Json;
  /** null: a server of the application sent it. */
  readonly from: MessageAuthor | null;
  /** When the relay took it, ms since the epoch, by the relay's clock. */
  readonly timestamp: number;
}

export function isMessageType(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_TYPE_LENGTH;
}
