/** What a client asks for when it opens a WebSocket. Pure. */
import {
  AUTH_PREFIX,
  Close,
  FrameError,
  LINK_SUBPROTOCOL,
  PATCH_SUBPROTOCOL,
  isReserved,
  isRoomName,
  lobbyRoom,
  readRoomName,
  roomFromPath,
} from "../../wire/index.ts";
import { type Denial, denial } from "../access/grants.ts";

export type Admission = { readonly ok: true; readonly room: string; readonly lobby: string } | Denial;

/**
 * Reads the request target `/<room>?lobby=<name>`. [WIRE-4]
 *
 * @param target the request target, without the path that the relay is mounted at
 */
export function admit(target: string): Admission {
  return orMalformed(() => {
    const room = roomFromPath(split(target).path);
    if (isReserved(room)) return RESERVED;
    const lobby = lobbyOf(target);
    return typeof lobby === "string" ? admitted(room, lobby) : lobby;
  });
}

/** Reads the name of a room that a link asks for. [WIRE-4] */
export function admitRoom(name: string, lobby: string): Admission {
  return orMalformed(() => {
    const room = readRoomName(name);
    return isReserved(room) ? RESERVED : admitted(room, lobby);
  });
}

/** The lobby that a request asks to count in, as a room. */
export function lobbyOf(target: string): string | Denial {
  const lobby = lobbyRoom(split(target).params.get("lobby"));
  if (isRoomName(lobby)) return lobby;
  // or it would count in a lobby that nobody can read
  return denial("malformed", Close.malformed, "there can be no lobby of this name");
}

const RESERVED: Denial = denial("reserved", Close.notAllowed, "room names that start with @ are reserved");

/** A connection to a lobby counts in that lobby. */
function admitted(room: string, lobby: string): Admission {
  return { ok: true, room, lobby: room.startsWith("@") ? room : lobby };
}

function orMalformed(read: () => Admission): Admission {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return denial("malformed", Close.malformed, error.message);
  }
}

function split(target: string): { readonly path: string; readonly params: URLSearchParams } {
  const mark = target.indexOf("?");
  if (mark < 0) return { path: target, params: new URLSearchParams() };
  return { path: target.slice(0, mark), params: new URLSearchParams(target.slice(mark + 1)) };
}

/** Whether its document goes back in its history, so that the relay is not to forget what was deleted: `?gc=false`. */
export function keepsHistory(target: string): boolean {
  return split(target).params.get("gc") === "false";
}

/** The token that a request brings: of the subprotocol, else of the parameter. [AUTH-2] */
export function tokenOf(offered: string | undefined, target: string): string | null {
  const entries = (offered ?? "").split(",").map((entry) => entry.trim());
  const entry = entries.find((each) => each.startsWith(AUTH_PREFIX));
  if (entry !== undefined) return entry.slice(AUTH_PREFIX.length);
  return split(target).params.get("token");
}

/** The newest first. */
const OURS = [LINK_SUBPROTOCOL, PATCH_SUBPROTOCOL] as const;

/**
 * Ours if it is offered; otherwise the first, as stock servers do, since a browser insists on one of its own. Never the
 * token: what is answered may be logged on its way. Null: nothing else was offered, which no browser would take.
 */
export function chooseProtocol(offered: Iterable<string>): string | false | null {
  const names = [...offered];
  // [AUTH-14] ours first
  const own = OURS.find((name) => names.includes(name));
  if (own !== undefined) return own;
  return names.find((name) => !name.startsWith(AUTH_PREFIX)) ?? (names.length === 0 ? false : null);
}
