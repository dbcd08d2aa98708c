/** What an identity may do in a room. Pure. */
import { Close, LOBBY, isLobby, lobbyRoom } from "../../wire/index.ts";
import type { RoomAccess } from "../ports/access.ts";
import { type Grant, type Identity, stampOf } from "./identity.ts";

/** What anybody may do who comes to a relay that asks nobody. */
export function openAccess(lobby: string): RoomAccess {
  return { user: null, lobby, observe: true, presence: true, read: true, write: true, expiresAt: null };
}

/** Why a connection is refused; the first word is that of the metric. */
export interface Denial {
  readonly ok: false;
  readonly because: RefusalReason;
  readonly code: number;
  readonly reason: string;
}

export type RefusalReason =
  | "malformed"
  | "reserved"
  | "origin"
  | "rate"
  | "address"
  | "unauthenticated"
  | "forbidden"
  | "expired"
  | "unavailable"
  | "grants"
  | "lobbies"
  | "rooms"
  | "user";

export function denial(because: RefusalReason, code: number, reason: string): Denial {
  return { ok: false, because, code, reason };
}

/** Whether what was decided is that somebody is not let in, or may not go on. */
export function isDenial(decided: object): decided is Denial {
  return "ok" in decided && decided.ok === false;
}

/** @param asked the lobby that it asked to count in */
export function accessTo(
  identity: Identity,
  room: string,
  asked: string,
): { readonly ok: true; readonly access: RoomAccess } | Denial {
  const own = identity.lobby === undefined ? null : lobbyRoom(identity.lobby);
  // [GRANT-7] else the users of one tenant could look at those of another
  if (own !== null && isLobby(room) && room !== own) return denial("grants", Close.notAllowed, `your lobby is ${own}`);
  const granted = grantsFor(identity.rooms, room);
  // nothing is granted there [GRANT-2]
  if (granted.size === 0) {
    const place = isLobby(room) ? "the lobby" : "this room";
    return denial("grants", Close.notAllowed, `nothing is granted to you in ${place}`);
  }
  const observe = granted.has("observe");
  return {
    ok: true,
    access: {
      user: stampOf(identity),
      lobby: isLobby(room) ? room : (own ?? asked),
      observe,
      presence: granted.has("presence"),
      // the document of a lobby says who is there [GRANT-8]
      read: isLobby(room) ? observe : granted.has("read"),
      write: granted.has("write"),
      expiresAt: identity.expiresAt ?? null,
    },
  };
}

const ALL: ReadonlySet<Grant> = new Set(["observe", "presence", "read", "write"]);
const NONE: ReadonlySet<Grant> = new Set();

/** The grants of the most specific entry for a room. [GRANT-1] */
export function grantsFor(rooms: Identity["rooms"], room: string): ReadonlySet<Grant> {
  if (rooms === undefined) return ALL;
  if (Object.hasOwn(rooms, room)) return known(rooms[room]);
  // [GRANT-6] no `*` includes the lobby
  if (isLobby(room)) return Object.hasOwn(rooms, LOBBY) ? known(rooms[LOBBY]) : NONE;
  let best: string | null = null;
  for (const key of Object.keys(rooms)) {
    if (key.endsWith("*") && room.startsWith(key.slice(0, -1)) && key.length > (best?.length ?? 0)) best = key;
  }
  return best === null ? NONE : known(rooms[best]);
}

/** What is not known grants nothing. */
function known(grants: readonly Grant[] | undefined): ReadonlySet<Grant> {
  return new Set(Array.isArray(grants) ? (grants as readonly Grant[]).filter((grant) => ALL.has(grant)) : []);
}

/** What an access grants, as `hello` says it. */
export function grantsOf(access: RoomAccess): readonly Grant[] {
  return [...ALL].filter((grant) => access[grant]);
}

/** Whether a connection with one access may go on with the other: all is the same but when it ends. [AUTH-5] [AUTH-13] */
export function sameAccess(a: RoomAccess, b: RoomAccess): boolean {
  return JSON.stringify({ ...a, expiresAt: 0 }) === JSON.stringify({ ...b, expiresAt: 0 });
}
