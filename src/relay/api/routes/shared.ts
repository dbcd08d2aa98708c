/** What several operations have in common. */
import type { ApiGrant } from "../access/grant.ts";
import { lobbyMeant, lobbyWithin, seesLobby, seesRoom } from "../access/grant.ts";
import { ApiError } from "../answers/error.ts";

export const lobbyParameter = {
  lobby: {
    type: "string",
    description:
      "`acme` for the lobby @lobby/acme. Default: the key's own; else the default lobby, or in a room everybody",
  },
};

export const pageParameters = {
  limit: { type: "integer", minimum: 1, maximum: 1_000, default: 100, description: "at most so many at once" },
  cursor: { type: "string", description: "from the page before" },
};

/** The lobby that is meant. Throws `ApiError` for one that the caller may not look at. */
export function lobbyFor(grant: ApiGrant, asked: string | undefined): string {
  const lobby = lobbyMeant(grant, asked);
  checkLobby(grant, lobby);
  return lobby;
}

/** The lobby whose people count in a room; null: all do. Throws `ApiError` for one that the caller may not look at. */
export function lobbyInRoomFor(grant: ApiGrant, asked: string | undefined): string | null {
  const lobby = lobbyWithin(grant, asked);
  if (lobby !== null) checkLobby(grant, lobby);
  return lobby;
}

function checkLobby(grant: ApiGrant, lobby: string): void {
  if (!seesLobby(grant, lobby)) throw new ApiError(403, "not_granted", "the key is for another lobby");
}

/** Throws `ApiError` for a room that the caller may not look at. */
export function checkRoom(grant: ApiGrant, room: string): void {
  if (!seesRoom(grant, room)) throw new ApiError(403, "not_granted", "the key is not for this room");
}
