/**
 * What relay and client say to each other beyond y-websocket: small, rare, JSON.
 */
import {
  type Json,
  type ManualChoice,
  type UserInfo,
  asRecord,
  isRecord,
  readManual,
  readUser,
  readUserId,
} from "../presence/index.ts";
import { FrameError, json } from "./bytes.ts";
import { LINK_CHANNEL, MAX_CHANNEL } from "./envelope.ts";
import { type RoomMessage, isMessageType } from "./message.ts";
import type { SessionChange } from "./session.ts";
import { MAX_DEPTH } from "./state.ts";

/**
 * What the relay knows of a connection that its awareness state does not say: its network is gone (`reconnecting`), its
 * page is silent (`silent`: shown as away), or neither any more (`clear`).
 */
export type Mark = "reconnecting" | "silent" | "clear";

/** Client id, mark, and when the connection was last known to be alive, ms since the epoch by the relay's clock. */
export type MarkEntry = readonly [clientId: number, mark: Mark, lastSeen: number];

/** What a connection may do in a room: see others, be seen, read the document, write to it. */
export type Grant = "observe" | "presence" | "read" | "write";

/** Relay → client, first of all. */
export interface Hello {
  readonly kind: "hello";
  /** New with each start of the relay. */
  readonly shard: string;
  /** Its leave grace. */
  readonly graceMs: number;
  /** The relay's clock, ms since the epoch. */
  readonly now?: number;
  /** The room, as the relay understood the address. */
  readonly room?: string;
  /** What the connection may do in it. */
  readonly grants?: readonly Grant[];
  /** Largest awareness state that the relay takes, in bytes. */
  readonly maxState?: number;
  /** Largest metadata of a session that the relay takes, in bytes. */
  readonly maxMeta?: number;
  /** Messages a second that the relay takes of a connection, be they as long as those of a room may be; absent: any number. [MSG-9] */
  readonly messageRate?: number;
  /** Until the token expires, by the relay's clock; absent when it does not. */
  readonly expiresInMs?: number;
  /** Who the relay knows the connection as, whatever its states claim; absent when it has not asked. */
  readonly user?: UserInfo;
  /** The relay takes `session` on channel 0 of a link. [LINK-13] */
  readonly session?: boolean;
}

export type Control =
  | Hello
  /** Relay → client, in a room. */
  | { readonly kind: "marks"; readonly marks: readonly MarkEntry[] }
  /** Relay → client, in a lobby: another session of the same user holds a newer choice of status. */
  | { readonly kind: "manual"; readonly manual: ManualChoice }
  /** Relay → client: another connection to this room speaks for your session. If you live, take a new session id. */
  | { readonly kind: "superseded"; readonly session: string }
  /** Relay → client: the client id that you announce is somebody else's in this room. Take another. */
  | { readonly kind: "taken"; readonly clientId: number }
  /** Client → relay: a newer token of the same user, in place of the one that the connection was opened with. */
  | { readonly kind: "token"; readonly token: string }
  /** Relay → client: it is taken. Until it expires, by the relay's clock; null when it does not. */
  | { readonly kind: "access"; readonly expiresInMs: number | null }
  /** Relay → client: what is shown of people on other relays may be old, since they cannot be heard; or it is as it is again. */
  | { readonly kind: "world"; readonly partial: boolean }
  /** Relay → client: the next message is long, and may be under way for a while. */
  | { readonly kind: "long" }
  /** Client → relay, in a room: a message for everybody else who is there. [MSG-1] */
  | BroadcastRequest
  /** Relay → client, in a room: messages, in the order in which the relay took them. */
  | { readonly kind: "messages"; readonly messages: readonly RoomMessage[] }
  /** Relay → client, in a room: so many messages were dropped before what comes next, since the client did not read in time. [MSG-8] */
  | MissedMessages
  /** Client → relay, on a link: a channel to a room, under a number that no channel of this link had. [LINK-3] */
  | OpenRequest
  /** Relay → client, on a link: the channel is not opened. [LINK-4] */
  | { readonly kind: "refused"; readonly channel: number; readonly code: number; readonly reason: string }
  /** On a link, both ways: the channel is over, and the link goes on. [LINK-5] */
  | { readonly kind: "close"; readonly channel: number; readonly code: number; readonly reason: string }
  /** Client → relay, on a link: so many bytes of messages that came in pieces have been read since this was said last. */
  | { readonly kind: "read"; readonly bytes: number }
  /** Client → relay, on a link: the session says something else of itself, in all rooms. [LINK-13] */
  | SessionChange
  /** Client → relay, in a lobby: tell me of these people, without the document. [WATCH-1] */
  | WatchRequest
  /** Client → relay, in a lobby: no more of these. */
  | UnwatchRequest
  /** Relay → client: what a reader of the lobby's document would find of these. [WATCH-1] [LOBBY-19] */
  | PeopleMessage
  /** Relay → client: numbers of the lobby, `whole` or what changed of them. [WATCH-2] */
  | CountsMessage
  /** Client → relay: are you there? */
  | { readonly kind: "ping" }
  /** Relay → client. */
  | { readonly kind: "pong" };

/** How many people one client may watch. [WATCH-4] */
export const MAX_WATCHED = 1_000;
/** Longer than any user's id: that of a guest, too, characters. */
const MAX_USER_ID = 300;

export interface WatchRequest {
  readonly kind: "watch";
  /** Ids of users, besides those that are watched already. */
  readonly users: readonly string[];
  /** Also numbers, from now on. */
  readonly counts?: true;
}

export interface UnwatchRequest {
  readonly kind: "unwatch";
  readonly users: readonly string[];
}

export interface PeopleMessage {
  readonly kind: "people";
  /** null: there is nothing of the user. */
  readonly users: readonly (readonly [userId: string, user: unknown])[];
  /** A `watch` is answered. */
  readonly done?: true;
}

export interface CountsMessage {
  readonly kind: "counts";
  /** How many users are present. */
  readonly users: number;
  /** How many of them have each status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** How many rooms somebody is in. */
  readonly rooms: number;
  /** The fullest rooms, or those among them that changed; 0: it is not among them any more. */
  readonly fullest: readonly (readonly [room: string, users: number])[];
  /** It is all, not what changed. */
  readonly whole?: true;
}

/** Asks for a message to be handed on. */
export interface BroadcastRequest {
  readonly kind: "broadcast";
  readonly type: string;
  readonly payload: Json;
}

/** How many messages never come. */
export interface MissedMessages {
  readonly kind: "missed";
  readonly count: number;
}

/** Asks for a channel of a link. */
export interface OpenRequest {
  readonly kind: "open";
  readonly channel: number;
  /** As it is: not percent-encoded. */
  readonly room: string;
  /** The document goes back in its history: the relay is not to forget what is deleted. Default: false. */
  readonly keepsHistory?: boolean;
}

const MARKS: ReadonlySet<unknown> = new Set<Mark>(["reconnecting", "silent", "clear"]);

export function encodeControl(control: Control): string {
  return JSON.stringify(control);
}

/** Reads what a trusted relay says, and does not look into it. Throws `FrameError` for what is no JSON. */
export function parseControl(source: string): Control {
  return json(source, Infinity) as Control;
}

/** Reads what anybody may have said. Throws `FrameError`. */
export function decodeControl(source: string): Control {
  const value = json(source, MAX_DEPTH);
  const control = isRecord(value) ? readControl(value) : null;
  if (control === null) throw new FrameError("unknown or malformed control message");
  return control;
}

function readControl(value: Record<string, unknown>): Control | null {
  const { kind, marks, manual, session, clientId, token, expiresInMs, partial, users } = value;
  switch (kind) {
    case "hello":
      return readHello(value);
    case "marks":
      return Array.isArray(marks) && marks.every(isMarkEntry) ? { kind, marks } : null;
    case "manual": {
      const choice = readManual(manual);
      return choice && { kind, manual: choice };
    }
    case "superseded":
      return typeof session === "string" ? { kind, session } : null;
    case "taken":
      return typeof clientId === "number" ? { kind, clientId } : null;
    case "world":
      return typeof partial === "boolean" ? { kind, partial } : null;
    case "token":
      return typeof token === "string" ? { kind, token } : null;
    case "access":
      return expiresInMs === null || typeof expiresInMs === "number" ? { kind, expiresInMs } : null;
    case "broadcast": {
      const { type, payload = null } = value;
      return isMessageType(type) ? { kind, type, payload: payload as Json } : null;
    }
    case "messages":
      return Array.isArray(value["messages"]) ? { kind, messages: value["messages"] as RoomMessage[] } : null;
    case "missed": {
      const { count } = value;
      return typeof count === "number" ? { kind, count } : null;
    }
    case "open":
      return readOpen(value);
    case "refused":
    case "close": {
      const { channel, code, reason } = value;
      if (!isChannel(channel) || typeof code !== "number" || typeof reason !== "string") return null;
      return { kind, channel, code, reason };
    }
    case "read": {
      const { bytes } = value;
      return Number.isSafeInteger(bytes) && (bytes as number) >= 0 ? { kind, bytes: bytes as number } : null;
    }
    case "session": {
      const { user, copresence } = value;
      return isOptionalRecord(user) && isOptionalRecord(copresence) ? { kind, user, copresence } : null;
    }
    case "watch":
    case "unwatch":
      if (!isUserIds(users)) return null;
      return { kind, users, ...(kind === "watch" && value["counts"] === true && { counts: true }) };
    case "people":
    case "counts":
      // no relay acts on these
      return Array.isArray(users) || typeof users === "number" ? (value as unknown as Control) : null;
    case "long":
    case "ping":
    case "pong":
      return { kind };
    default:
      return null;
  }
}

function isChannel(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > LINK_CHANNEL && (value as number) < MAX_CHANNEL;
}

function isOptionalRecord(value: unknown): value is Record<string, unknown> | undefined {
  return value === undefined || isRecord(value);
}

function isUserIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((id) => typeof id === "string" && id !== "" && id.length <= MAX_USER_ID);
}

function readOpen({ channel, room, keepsHistory }: Record<string, unknown>): OpenRequest | null {
  if (!isChannel(channel) || typeof room !== "string") return null;
  return { kind: "open", channel, room, ...(keepsHistory === true && { keepsHistory }) };
}

const GRANTS: ReadonlySet<unknown> = new Set<Grant>(["observe", "presence", "read", "write"]);
const NUMBERS = ["now", "maxState", "maxMeta", "messageRate", "expiresInMs"] as const;

function readHello({ shard, graceMs, room, grants, user, session, ...rest }: Record<string, unknown>): Hello | null {
  if (typeof shard !== "string" || typeof graceMs !== "number") return null;
  const numbers = NUMBERS.filter((name) => typeof rest[name] === "number");
  const id = readUserId(asRecord(user)["id"]);
  return {
    kind: "hello",
    shard,
    graceMs,
    ...(Object.fromEntries(numbers.map((name) => [name, rest[name]])) as Pick<Hello, (typeof NUMBERS)[number]>),
    ...(typeof room === "string" && { room }),
    // a newer relay may grant what this client does not know
    ...(Array.isArray(grants) && { grants: grants.filter((each): each is Grant => GRANTS.has(each)) }),
    ...(id !== undefined && { user: readUser(user, id) }),
    ...(session === true && { session }),
  };
}

function isMarkEntry(value: unknown): value is MarkEntry {
  return (
    Array.isArray(value) &&
    value.length === 3 &&
    typeof value[0] === "number" &&
    MARKS.has(value[1]) &&
    typeof value[2] === "number"
  );
}
