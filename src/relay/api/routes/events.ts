/** What happens, as it happens. */
import type { Events } from "../events/events.ts";
import { readQuery } from "../input/read.ts";
import { eventsQuery } from "../input/schemas.ts";
import type { Operation } from "../operation.ts";
import { ref } from "../schemas.ts";
import { lobbyInRoomFor, lobbyParameter } from "./shared.ts";

/** [API-27] [API-28] [API-29] */
export function eventOperations(events: Events): readonly Operation[] {
  const listen: Operation = {
    method: "GET",
    path: "/events",
    level: "read",
    handle: ({ request, url, grant }) => {
      const { lobby, room, prefix, user } = readQuery(eventsQuery, url);
      const filter = { lobby: lobbyInRoomFor(grant, lobby), room, prefix, user };
      return events.open(grant, filter, request.headers.get("last-event-id"));
    },
    describe: {
      id: "listen",
      summary: "Who comes, goes and changes, as server-sent events: join, leave, update, and reset",
      description:
        "Data is JSON (schema Event). The stream begins with `reset`, which says who is where; or, with Last-Event-ID, with what " +
        "was missed, if the relay still has that. A reader who falls behind by 1 MiB is cut off.",
      query: {
        room: { type: "string", description: "only of this room (or lobby: @lobby)" },
        prefix: { type: "string", description: "only of rooms whose names begin so" },
        user: { type: "string", description: "only of this user" },
        ...lobbyParameter,
      },
      answers: { 200: { description: "Events", schema: ref("Event"), type: "text/event-stream" } },
    },
  };
  return [listen];
}
