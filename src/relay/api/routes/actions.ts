/** Acting on a user: throwing them out, and asking for a new token. */
import type { ApiGrant } from "../access/grant.ts";
import { lobbyWithin, seesLobby } from "../access/grant.ts";
import { answerJson } from "../answers/answer.ts";
import { ApiError } from "../answers/error.ts";
import { idIn, readJson, readQuery } from "../input/read.ts";
import { disconnectBody, inLobby, nothing } from "../input/schemas.ts";
import type { Operation } from "../operation.ts";
import { ref } from "../schemas.ts";
import type { LinkedHub } from "../../wiring/linked-hub.ts";
import { lobbyParameter } from "./shared.ts";

const MAX_BODY_BYTES = 16 * 2 ** 10;

export function actionOperations(hub: LinkedHub): readonly Operation[] {
  return [disconnect(hub), refresh(hub)];
}

/** [API-23] [API-24] */
function disconnect(hub: LinkedHub): Operation {
  return {
    method: "POST",
    path: "/users/:id/disconnect",
    level: "admin",
    handle: async ({ request, url, grant, parts: [part = ""] }) => {
      const lobby = lobbyOfAll(grant, readQuery(inLobby, url).lobby);
      const { code, reason, forMs } = await readJson(disconnectBody, request, MAX_BODY_BYTES);
      const done = await hub.actions.disconnectEverywhere(idIn(part), {
        ...(code !== undefined && { code }),
        ...(reason !== undefined && { reason }),
        ...(forMs !== undefined && { forMs }),
        ...(lobby !== null && { lobby }),
      });
      return answerJson(JSON.stringify(done));
    },
    describe: {
      id: "disconnectUser",
      summary: "Closes all connections of a user, who leaves at once; with forMs the user is refused until then",
      description:
        "Without `lobby` the user is meant in all lobbies. After the default code 4403 clients do not come back by themselves. " +
        "Another request takes the place of an earlier one; one without forMs ends the refusal.",
      query: lobbyParameter,
      body: {
        type: "application/json",
        schema: ref("DisconnectRequest"),
        example: { reason: "banned for a minute", forMs: 60_000 },
      },
      answers: { 200: { description: "What was done", schema: ref("Disconnected") } },
    },
  };
}

/** [API-26] */
function refresh(hub: LinkedHub): Operation {
  return {
    method: "POST",
    path: "/users/:id/refresh",
    level: "admin",
    handle: async ({ request, url, grant, parts: [part = ""] }) => {
      const lobby = lobbyOfAll(grant, readQuery(inLobby, url).lobby);
      await readJson(nothing, request, MAX_BODY_BYTES);
      const connections = await hub.actions.refreshEverywhere(idIn(part), lobby ?? undefined);
      return answerJson(JSON.stringify({ connections }));
    },
    describe: {
      id: "refreshUser",
      summary: "Asks all connections of a user for a new token, so that what has changed for the user holds now",
      description:
        "Clients of ours bring one at once. A connection that brings none within 30 s is closed (4501), and its client connects anew.",
      query: lobbyParameter,
      answers: { 200: { description: "What was done", schema: ref("Refreshed") } },
    },
  };
}

/** The lobby that the user is meant in; null: all. Throws `ApiError` for a caller who sees only some of the user's rooms. */
function lobbyOfAll(grant: ApiGrant, asked: string | undefined): string | null {
  if (grant.seesRoom !== null)
    throw new ApiError(403, "not_granted", "the key is for some rooms, and this acts on all");
  const lobby = lobbyWithin(grant, asked);
  if (lobby === null || seesLobby(grant, lobby)) return lobby;
  throw new ApiError(403, "not_granted", "the key is for another lobby");
}
