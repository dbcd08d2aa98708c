/** The names of rooms and lobbies, as a URL carries them. */
import { FrameError } from "./bytes.ts";

/** The default lobby. */
export const LOBBY = "@lobby";

/** Longest room name, in UTF-16 units. */
export const MAX_ROOM_LENGTH = 512;

/**
 * The room of a lobby: `acme` and `@lobby/acme` are the same; nothing, `@lobby` and the empty name are the default.
 * [LOBBY-8]
 */
export function lobbyRoom(name?: string | null): string {
  const ownName = name?.replace(/^@lobby(\/|$)/, "") ?? "";
  return ownName === "" ? LOBBY : `${LOBBY}/${ownName}`;
}

export function isLobby(room: string): boolean {
  return room === LOBBY || (room.startsWith(`${LOBBY}/`) && room.length > LOBBY.length + 1);
}

/** Rooms whose name starts with `@` belong to copresence; of those only lobbies exist. */
export function isReserved(room: string): boolean {
  return room.startsWith("@") && !isLobby(room);
}

/** The room that a URL path names, percent-decoded. Throws `FrameError`. */
export function roomFromPath(path: string): string {
  let room: string;
  try {
    room = decodeURIComponent(path.replace(/^\//, ""));
  } catch {
    throw new FrameError("room name is not valid UTF-8");
  }
  if (room === "") throw new FrameError("room name is empty");
  if (room.length > MAX_ROOM_LENGTH) throw new FrameError(`room name is longer than ${MAX_ROOM_LENGTH} characters`);
  return room;
}

/**
 * Throws a `RangeError` for a name that no URL carries as it is: empty, too long, not well-formed Unicode, or with a
 * segment `.` or `..`, which every URL parser takes for a way up.
 */
export function checkRoomName(room: string): void {
  // \p{Surrogate}: half of a surrogate pair, which no URL carries
  const isNone = room === "" || room.length > MAX_ROOM_LENGTH || /(^|\/)\.\.?(\/|$)|\p{Surrogate}/u.test(room);
  if (!isNone) return;
  throw new RangeError(
    `"${room.slice(0, 64)}" is no name for a room (1 to ${MAX_ROOM_LENGTH} characters, no segment "." or "..")`,
  );
}

/** The URL path of a room; slashes in its name stay slashes. */
export function roomToPath(room: string): string {
  return `/${room.split("/").map(encodeURIComponent).join("/")}`;
}
