/** What a client asks for when it opens a WebSocket. Pure. */
import {
  AUTH_PREFIX,
  Close,
  FrameError,
  MAX_ROOM_LENGTH,
  PATCH_SUBPROTOCOL,
  isReserved,
  lobbyRoom,
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
  const { path, params } = split(target);
  try {
    const room = roomFromPath(path);
    if (isReserved(room)) {
      return denial("reserved", Close.notAllowed, "room names that start with @ are reserved");
    }
    const lobby = lobbyRoom(params.get("lobby"));
    // or it would count in a lobby that nobody can read
    if (lobby.length > MAX_ROOM_LENGTH) throw new FrameError(`lobby name is longer than ${MAX_ROOM_LENGTH} characters`);
    // a connection to a lobby counts in that lobby
    return { ok: true, room, lobby: room.startsWith("@") ? room : lobby };
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

/**
 * Ours if it is offered; otherwise the first, as stock servers do, since a browser insists on one of its own. Never the
 * token: what is answered may be logged on its way. Null: nothing else was offered, which no browser would take.
 */
export function chooseProtocol(offered: Iterable<string>): string | false | null {
  const names = [...offered];
  // [AUTH-14] ours first
  if (names.includes(PATCH_SUBPROTOCOL)) return PATCH_SUBPROTOCOL;
  return names.find((name) => !name.startsWith(AUTH_PREFIX)) ?? (names.length === 0 ? false : null);
}
