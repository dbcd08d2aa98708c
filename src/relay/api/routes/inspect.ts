/** What an operator sees: the relay at a glance, and why somebody is shown as they are. [INSP-1] [INSP-2] */
import { answerWithTag } from "../answers/answer.ts";
import { ApiError } from "../answers/error.ts";
import { userJson } from "../answers/people.ts";
import { type ApiGrant, lobbyMeant } from "../access/grant.ts";
import { idIn, readQuery } from "../input/read.ts";
import { inLobby, LISTED, inspectQuery } from "../input/schemas.ts";
import { MAX_LISTED, overviewOf } from "../inspect/overview.ts";
import { personIn } from "../inspect/person.ts";
import type { Operation } from "../operation.ts";
import { ref } from "../schemas.ts";
import type { LinkedHub } from "../../wiring/linked-hub.ts";
import { lobbyParameter } from "./shared.ts";

export function inspectOperations(hub: LinkedHub): readonly Operation[] {
  return [overview(hub), person(hub)];
}

function overview(hub: LinkedHub): Operation {
  return {
    method: "GET",
    path: "/inspect",
    level: "admin",
    handle: ({ request, url, grant }) => {
      checkWhole(grant);
      const seen = overviewOf(hub, readQuery(inspectQuery, url).list);
      return answerWithTag(request, () => JSON.stringify(seen), [JSON.stringify({ ...seen, now: 0 })]);
    },
    describe: {
      id: "inspect",
      summary: `The relay at a glance: its numbers, and at most ${MAX_LISTED} rooms and sockets, the largest first`,
      description: "For the inspector; its answer may change with any version.",
      query: {
        list: {
          type: "string",
          enum: LISTED,
          description: "what is listed besides the numbers; default: rooms and sockets",
        },
      },
      answers: {
        200: { description: "The relay", schema: { type: "object", required: ["now", "relay", "rooms", "sockets"] } },
      },
    },
  };
}

function person(hub: LinkedHub): Operation {
  return {
    method: "GET",
    path: "/inspect/users/:id",
    level: "admin",
    handle: ({ request, url, grant, parts: [part = ""] }) => {
      checkWhole(grant);
      const lobby = lobbyMeant(grant, readQuery(inLobby, url).lobby);
      const { user, ...rest } = personIn(hub.core, lobby, idIn(part));
      const text = JSON.stringify(rest);
      const shown = user === null ? "null" : userJson(user, Math.round(hub.core.clock.wall()));
      return answerWithTag(request, () => `${text.slice(0, -1)},"user":${shown}}`, [text, shown]);
    },
    describe: {
      id: "explainUser",
      summary:
        "Why the relay shows a user as it does: reasons with the rule of SPEC.md that each goes by, and all connections",
      query: lobbyParameter,
      answers: {
        200: {
          description: "The reasons, the weightiest first",
          schema: {
            type: "object",
            required: ["id", "user", "reasons", "connections"],
            properties: { user: { anyOf: [ref("User"), { type: "null" }] } },
          },
        },
      },
    },
  };
}

/** What there is of a relay is of all lobbies and rooms. */
function checkWhole({ lobby, seesRoom }: ApiGrant): void {
  if (lobby === null && seesRoom === null) return;
  throw new ApiError(403, "not_granted", "this takes a key for all lobbies and rooms");
}
