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

/** The same of what code may give that was not type-checked. Throws a `TypeError` for what is no text. */
export function checkedLobbyRoom(name: unknown): string {
  if (typeof (name ?? "") !== "string") throw new TypeError("the name of a lobby is a text");
  return lobbyRoom(name as string | null | undefined);
}

export function isLobby(room: string): boolean {
  return room === LOBBY || (room.startsWith(`${LOBBY}/`) && room.length > LOBBY.length + 1);
}

/** Rooms whose name starts with `@` belong to copresence; of those only lobbies exist. */
export function isReserved(room: string): boolean {
  return room.startsWith("@") && !isLobby(room);
}

/**
 * Whether a room or lobby may have this name, no matter who says it: a text that a URL carries as it is. None is empty, too long, not
 * well-formed Unicode, or has a segment `.` or `..`, which every URL parser takes for a way up. [WIRE-4]
 */
export function isRoomName(name: unknown): name is string {
  return (
    typeof name === "string" &&
    name !== "" &&
    name.length <= MAX_ROOM_LENGTH &&
    // \p{Surrogate}: half of a surrogate pair, which no URL carries
    !/(^|\/)\.\.?(\/|$)|\p{Surrogate}/u.test(name)
  );
}

/** The room that a URL path names, percent-decoded. Throws `FrameError`. */
export function roomFromPath(path: string): string {
  let room: string;
  try {
    room = decodeURIComponent(path.replace(/^\//, ""));
  } catch {
    throw new FrameError("room name is not valid UTF-8");
  }
  return readRoomName(room);
}

/** Throws a `FrameError` for what is no name of a room or lobby. */
export function readRoomName(name: string): string {
  const { length } = name;
  if (isRoomName(name)) return name;
  if (length === 0) throw new FrameError("room name is empty");
  if (length > MAX_ROOM_LENGTH) throw new FrameError(`room name is longer than ${MAX_ROOM_LENGTH} characters`);
  throw new FrameError('room name has a segment "." or "..", or is not valid UTF-8');
}

/** Throws a `RangeError` for what is no name of a room or lobby. */
export function checkRoomName(room: unknown): asserts room is string {
  if (isRoomName(room)) return;
  throw new RangeError(
    `"${String(room).slice(0, 64)}" is no name for a room (1 to ${MAX_ROOM_LENGTH} characters, no segment "." or "..")`,
  );
}

/** The URL path of a room; slashes in its name stay slashes. */
export function roomToPath(room: string): string {
  return `/${room.split("/").map(encodeURIComponent).join("/")}`;
}
