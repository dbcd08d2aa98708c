/** What a webhook says. Pure. */
import { type JsonObject, type PresenceEvent, type User, infoOf } from "../../presence/index.ts";

export const WEBHOOK_TYPES = [
  "user.online",
  "user.offline",
  "user.updated",
  "room.entered",
  "room.left",
  "room.opened",
  "room.emptied",
  "document.changed",
] as const;

export type WebhookType = (typeof WEBHOOK_TYPES)[number];

/** `user.updated` comes with each change of status or metadata, so it has to be asked for. [HOOK-17] */
export const DEFAULT_TYPES: readonly WebhookType[] = WEBHOOK_TYPES.filter((type) => type !== "user.updated");

/** Of `data.user` at most so many characters of JSON. [HOOK-15] */
const MAX_USER = 32 * 1024;

/** A message for all receivers. */
export interface Message {
  /** The same at each attempt, and for all receivers; no other message ever has it. */
  readonly id: string;
  readonly type: WebhookType;
  /** ms since the epoch */
  readonly at: number;
  /** Messages with the same key go one after the other. [HOOK-3] */
  readonly key: string;
  /** The visit, or the opening of a room, that begins or ends with it, or that it is about; null: none. [HOOK-6] */
  readonly visit: string | null;
  /** JSON: `{ type, timestamp, data }`. [HOOK-1] */
  readonly body: string;
}

/** One user in one room or lobby: what `user.online` and `room.entered` begin, and `user.offline` and `room.left` end. */
export function visitOf(roomId: string, userId: string): string {
  return JSON.stringify([roomId, userId]);
}

/** That a room has people in it: what `room.opened` begins, and `room.emptied` ends. */
export function openingOf(roomId: string): string {
  return JSON.stringify([roomId]);
}

/** The room, and the user unless it is an opening. */
export function readVisit(visit: string): { readonly roomId: string; readonly userId: string | undefined } {
  const [roomId, userId] = JSON.parse(visit) as readonly [string, string?];
  return { roomId, userId };
}

/** A message about a user in a room or a lobby. */
export function userMessage(
  id: string,
  type: WebhookType,
  { roomId, timestamp, user }: Pick<PresenceEvent, "roomId" | "timestamp" | "user">,
): Message {
  const visit = visitOf(roomId, user.id);
  const data = { userId: user.id, roomId, user: boundedUser(user) };
  return { id, type, at: timestamp, key: `user ${user.id}`, visit, body: bodyOf(type, timestamp, data) };
}

/** A message about a room as such. */
export function roomMessage(id: string, type: WebhookType, roomId: string, at: number, more: JsonObject = {}): Message {
  const visit = type === "document.changed" ? null : openingOf(roomId);
  return { id, type, at, key: `room ${roomId}`, visit, body: bodyOf(type, at, { roomId, ...more }) };
}

/** What is remembered of a user who was said to be online, to say who is offline if nothing else is known any more. */
export function snapshotOf(user: User): string {
  const { meta } = boundedUser(user);
  return JSON.stringify({ ...infoOf(user), meta });
}

function bodyOf(type: WebhookType, at: number, data: object): string {
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });
}

/** A user whose JSON is not too long: without sessions and rooms, and then without metadata, where it would be. */
function boundedUser(user: User): User {
  if (JSON.stringify(user).length <= MAX_USER) return user;
  const short: User = { ...user, sessions: [], rooms: [] };
  return JSON.stringify(short).length <= MAX_USER ? short : { ...short, meta: {} };
}
