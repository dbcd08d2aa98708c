/** What a caller of the API may do, and what it may see. Pure. */
import { isRecord } from "../../../presence/index.ts";
import { LOBBY, isLobby, lobbyRoom } from "../../../wire/index.ts";
import { grantsFor } from "../../access/grants.ts";
import { isGrants, isLobbyName } from "../../access/identity.ts";

/** `read` looks; `write` also sets members and writes documents; `admin` also throws out users and deletes documents. */
export type ApiLevel = "read" | "write" | "admin";

export interface ApiGrant {
  /** Whom limits count: never the key itself. */
  readonly caller: string;
  readonly level: ApiLevel;
  /** The one lobby that it sees, as a room name; null: all of them. */
  readonly lobby: string | null;
  /** Whether it sees a room; null: it sees all of them. */
  readonly seesRoom: ((room: string) => boolean) | null;
}

const RANK: Readonly<Record<ApiLevel, number>> = { read: 0, write: 1, admin: 2 };

/** Whether a caller may do what takes a level. [API-3] */
export function mayDo(grant: ApiGrant, needed: ApiLevel): boolean {
  return RANK[grant.level] >= RANK[needed];
}

/** Whether a caller sees a room; lobbies are looked at by themselves. */
export function seesRoom(grant: ApiGrant, room: string): boolean {
  return grant.seesRoom === null || grant.seesRoom(room);
}

/** What a key grants that is none of a token: everything. */
export function keyGrant(caller: string): ApiGrant {
  return { caller, level: "admin", lobby: null, seesRoom: null };
}

/**
 * What the claims of a genuine token grant. `api` is a level, or `{ access: level, lobby?, rooms? }`, where `rooms` lists names of
 * rooms, and beginnings of names with a `*`. The token's own `lobby` and `rooms` narrow the API, too. [API-2]
 *
 * @returns why the token grants nothing
 */
export function claimedGrant(claims: Readonly<Record<string, unknown>>): ApiGrant | string {
  const { sub, api, lobby: ownLobby, rooms: ownRooms } = claims;
  if (api === undefined) return 'the token has no claim "api"';
  const given = isRecord(api) ? api : { access: api };
  const unknown = Object.keys(given).find((name) => !["access", "lobby", "rooms"].includes(name));
  // what narrows a key must not be lost by being misspelt
  if (unknown !== undefined) return 'the claim "api" holds what is not known: there are access, lobby and rooms';
  const level = levelOf(given["access"]);
  if (level === null) return 'the claim "api" must be read, write or admin, or have that as its access';
  const lobby = lobbyIn(ownLobby, given["lobby"]);
  if (lobby === undefined) return "the token's lobbies are no names of lobbies, or are two";
  const { rooms } = given;
  if (rooms !== undefined && !isNameList(rooms)) return 'the rooms of the claim "api" must be a list of names';
  if (ownRooms !== undefined && !isGrants(ownRooms)) return "the token's rooms are not a map of lists";
  const named = rooms === undefined ? null : (room: string) => rooms.some((pattern) => matches(pattern, room));
  const granted = ownRooms === undefined ? null : (room: string) => grantsFor(ownRooms, room).size > 0;
  const seen = named === null || granted === null ? (named ?? granted) : (room: string) => named(room) && granted(room);
  return { caller: `token of ${String(sub)}`, level, lobby, seesRoom: seen };
}

function levelOf(value: unknown): ApiLevel | null {
  return value === "read" || value === "write" || value === "admin" ? value : null;
}

/** The lobby that both allow; null: all; undefined: none. */
function lobbyIn(own: unknown, given: unknown): string | null | undefined {
  const [a, b] = [own, given].map((each) => {
    if (each === undefined) return null;
    return isLobbyName(each) ? lobbyRoom(each) : undefined;
  });
  if (a === undefined || b === undefined) return undefined;
  if (a === null || b === null) return a ?? b;
  return a === b ? a : undefined;
}

function isNameList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "");
}

function matches(pattern: string, room: string): boolean {
  return pattern.endsWith("*") ? room.startsWith(pattern.slice(0, -1)) : room === pattern;
}

/** Whether a caller may look at the lobby that it asks for. */
export function seesLobby(grant: ApiGrant, lobby: string): boolean {
  return grant.lobby === null || grant.lobby === lobby;
}

/** The lobby that is meant where a caller names none: its own, if it has one. */
export function lobbyMeant(grant: ApiGrant, asked: string | undefined): string {
  return asked === undefined ? (grant.lobby ?? LOBBY) : lobbyRoom(asked);
}

/** The lobby whose people are meant in a room: none in particular, unless the caller names one or sees one alone. */
export function lobbyWithin(grant: ApiGrant, asked: string | undefined): string | null {
  return asked === undefined ? grant.lobby : lobbyRoom(asked);
}

/** Whether documents of a room are the caller's: those of one lobby share rooms with others, unless its rooms are named. */
export function seesDocument(grant: ApiGrant, room: string): boolean {
  return !isLobby(room) && (grant.lobby === null || grant.seesRoom !== null) && seesRoom(grant, room);
}
