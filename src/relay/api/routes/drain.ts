/** Sending the clients of a relay to the others, before it is stopped. */
import { answerJson } from "../answers/answer.ts";
import { ApiError } from "../answers/error.ts";
import { readJson, readQuery } from "../input/read.ts";
import { drainBody, nothing } from "../input/schemas.ts";
import type { Operation } from "../operation.ts";
import { ref } from "../schemas.ts";
import type { LinkedHub } from "../../wiring/linked-hub.ts";

const MAX_BODY_BYTES = 1_024;

/** [DRAIN-5] */
export function drainOperations(hub: LinkedHub): readonly Operation[] {
  return [
    {
      method: "POST",
      path: "/drain",
      level: "admin",
      handle: async ({ request, url, grant }) => {
        if (grant.lobby !== null || grant.seesRoom !== null) {
          throw new ApiError(403, "not_granted", "the key is for some lobbies or rooms, and this acts on all");
        }
        if (url.searchParams.has("lobby")) {
          throw new ApiError(400, "invalid", "query lobby: a relay drains as a whole, and not the people of one lobby");
        }
        readQuery(nothing, url);
        const { overMs } = await readJson(drainBody, request, MAX_BODY_BYTES);
        if (!hub.canDrain) {
          throw new ApiError(409, "no_other_relay", "no other relay is heard: clients would have nowhere to go");
        }
        // it goes on while this is answered
        void hub.drain(overMs);
        return answerJson(JSON.stringify({ connections: hub.links }));
      },
      describe: {
        id: "drainRelay",
        summary:
          "Sends the clients of this relay to the others on its bus, one after the other, and takes nobody any more",
        description:
          "Answers at once with how many connections are left; ask again until there are none, and stop the relay then. The " +
          "relay takes nobody until it is started anew.",
        body: { type: "application/json", schema: ref("DrainRequest"), example: { overMs: 5_000 } },
        answers: { 200: { description: "How many connections are left", schema: ref("Draining") } },
        errors: [409, 415],
      },
    },
  ];
}
