/** What a client asks for when it opens a WebSocket. Pure. */
import {
  Close,
  FrameError,
  MAX_ROOM_LENGTH,
  PATCH_SUBPROTOCOL,
  SUBPROTOCOL,
  isReserved,
  lobbyRoom,
  roomFromPath,
} from "../wire/index.ts";

export type Admission =
  | { readonly ok: true; readonly room: string; readonly lobby: string }
  | { readonly ok: false; readonly code: number; readonly reason: string };

/**
 * Reads the request target `/<room>?lobby=<name>`.
 *
 * A refusal is said after the handshake, as a close code: a browser does not see the status of a handshake that failed,
 * and would try again for ever.
 *
 * @param target the request target, without the path that the relay is mounted at
 */
export function admit(target: string): Admission {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const params = new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1));
  try {
    const room = roomFromPath(path);
    if (isReserved(room)) {
      return { ok: false, code: Close.notAllowed, reason: "room names that start with @ are reserved" };
    }
    const lobby = lobbyRoom(params.get("lobby"));
    // or it would count in a lobby that nobody can read
    if (lobby.length > MAX_ROOM_LENGTH) throw new FrameError(`lobby name is longer than ${MAX_ROOM_LENGTH} characters`);
    // a connection to a lobby counts in that lobby
    return { ok: true, room, lobby: room.startsWith("@") ? room : lobby };
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return { ok: false, code: Close.malformed, reason: error.message };
  }
}

/** Ours if it is offered; otherwise the first, as stock servers do, since a browser insists on one of its own. */
export function chooseProtocol(offered: ReadonlySet<string>): string | false {
  for (const ours of [PATCH_SUBPROTOCOL, SUBPROTOCOL]) if (offered.has(ours)) return ours;
  const [first] = offered;
  return first ?? false;
}
