/**
 * Who somebody is and what they may do, as the application's `authenticate` says. Pure types, and how an answer is checked:
 * it may come from code that was not type-checked.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Stamp } from "../../awareness/index.ts";
import { isRecord, readUserId } from "../../presence/index.ts";
import { Close, isRoomName, lobbyRoom } from "../../wire/index.ts";

/**
 * What a connection may do in a room: `observe` (receive who is there), `presence` (be there, seen by others), `read`
 * (receive the document), `write` (change it).
 */
export type Grant = "observe" | "presence" | "read" | "write";

/**
 * By the name of a room, or by what it begins with and a `*`. The exact name counts before the longest prefix. The lobby
 * is `@lobby`, and no `*` includes it.
 */
export type Grants = Readonly<Record<string, readonly Grant[]>>;

/** What is asked when somebody connects, or brings a new token. */
export interface AccessRequest {
  readonly room: string;
  /** The lobby that it asked to count in, as a room: `@lobby`, `@lobby/acme`. */
  readonly lobby: string;
  /** From the subprotocol `copresence.auth.<token>`, else from `?token=`. */
  readonly token: string | null;
  /** The `Origin` header; null if it is no browser. */
  readonly origin: string | null;
  /** The client's IP address, behind as many proxies as are trusted. */
  readonly address: string;
  /** Of the opening request; none when an open connection brings a new token. */
  readonly headers: IncomingHttpHeaders;
}

export interface Identity {
  /** At most 256 characters, and not beginning with `guest:`. */
  readonly userId: string;
  /** These three, if given, stand in place of whatever the connection claims. */
  readonly name?: string;
  readonly color?: string;
  readonly avatar?: string;
  /** The lobby that the user belongs to (a tenant); default: the one that the connection asks for. */
  readonly lobby?: string;
  /** What is granted in which rooms; default: everything everywhere. */
  readonly rooms?: Grants;
  /** When the connection ends unless it brings a new token, ms since the epoch; default: never. */
  readonly expiresAt?: number;
}

/** 4401 not authenticated and 4403 not allowed are for good; 4501 expired and 4503 overloaded may be tried again. */
export type RefusalCode = 4401 | 4403 | 4501 | 4503;

export interface Refusal {
  readonly code: RefusalCode;
  /** Said to the client; at most 123 bytes of it. */
  readonly reason: string;
}

/** Says who a connection is, or why it is refused. If it throws, the connection may try again later (4503). */
export type Authenticate = (request: AccessRequest) => Identity | Refusal | Promise<Identity | Refusal>;

export type Answer =
  | { readonly ok: true; readonly identity: Identity }
  | { readonly ok: false; readonly refusal: Refusal };

const CODES: ReadonlySet<unknown> = new Set<RefusalCode>([
  Close.notAuthenticated,
  Close.notAllowed,
  Close.tokenExpired,
  Close.overloaded,
]);

/** Reads what an `authenticate` returned. Throws a `TypeError` for what is neither identity nor refusal. */
export function readAnswer(answer: unknown): Answer {
  if (!isRecord(answer))
    throw new TypeError("what was answered is no identity, { userId }, and no refusal, { code, reason }");
  if ("code" in answer) return { ok: false, refusal: readRefusal(answer) };
  if (readUserId(answer["userId"]) === undefined) {
    throw new TypeError("userId must be a well-formed string of 1 to 256 characters, not beginning with guest:");
  }
  const { expiresAt, lobby, rooms } = answer;
  if (lobby !== undefined && !isLobbyName(lobby)) throw new TypeError("lobby must be the name of a lobby");
  if (rooms !== undefined && !isGrants(rooms)) throw new TypeError("rooms must be a map from rooms to lists of grants");
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) throw new TypeError("expiresAt must be a time in ms");
  return { ok: true, identity: answer as unknown as Identity };
}

/** Throws a `TypeError` for a code that no refusal has. */
export function readRefusal({ code, reason }: Readonly<Record<string, unknown>>): Refusal {
  if (!CODES.has(code)) throw new TypeError("the code of a refusal must be 4401, 4403, 4501 or 4503");
  return { code: code as RefusalCode, reason: typeof reason === "string" ? reason : "refused" };
}

/** Whether a claim is a map from rooms to lists. */
export function isGrants(value: unknown): value is Grants {
  return isRecord(value) && Object.values(value).every((grants) => Array.isArray(grants));
}

/** Another name would be that of a lobby that nobody can read. */
export function isLobbyName(value: unknown): value is string {
  return typeof value === "string" && isRoomName(lobbyRoom(value));
}

export function stampOf({ userId, name, color, avatar }: Identity): Stamp {
  return { id: userId, ...bindingOf({ name, color, avatar }) };
}

/** Those of these claims that say something of the user. */
export function bindingOf({
  name,
  color,
  avatar,
}: Readonly<Record<"name" | "color" | "avatar", unknown>>): Omit<Stamp, "id"> {
  return {
    ...(typeof name === "string" && { name }),
    ...(typeof color === "string" && { color }),
    ...(typeof avatar === "string" && { avatar }),
  };
}
