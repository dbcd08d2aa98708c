/** Presence that a server sets: agents, bots, devices that only push. */
import { answerJson, answerNothing } from "../answers/answer.ts";
import { ApiError } from "../answers/error.ts";
import { idIn, readJson, readQuery, roomIn } from "../input/read.ts";
import { inLobby, memberBody } from "../input/schemas.ts";
import type { MemberPlace, Members } from "../members/members.ts";
import type { Call, Operation } from "../operation.ts";
import { ref } from "../schemas.ts";
import { checkRoom, lobbyFor, lobbyParameter } from "./shared.ts";

const PATH = "/rooms/:name/members/:session";
/** Besides the state, which the hub's own limit is for. */
const MARGIN_BYTES = 4 * 2 ** 10;

/** @param maxState largest awareness state, bytes */
export function memberOperations(members: Members, maxState: number): readonly Operation[] {
  return [setMember(members, maxState), removeMember(members)];
}

/** [API-31] [API-32] [API-33] */
function setMember(members: Members, maxState: number): Operation {
  return {
    method: "PUT",
    path: PATH,
    level: "write",
    handle: async (call) => {
      const place = placeOf(call);
      const body = await readJson(memberBody, call.request, maxState + MARGIN_BYTES);
      const { clientId, expiresAt } = await members.set(place, body, call.grant.caller);
      return answerJson(JSON.stringify({ room: place.room, session: place.session, clientId, expiresAt }));
    },
    describe: {
      id: "setMember",
      summary:
        "Puts somebody in a room who has no connection, for ttlMs; another PUT renews that, and changes what is said",
      description:
        "All clients see them as they see anybody, with what `state` holds (a cursor, say), marked `agent` unless that is false. " +
        "With `onBehalfOf` they are there for a user who is in the room, and go when that user leaves it.",
      query: lobbyParameter,
      body: {
        type: "application/json",
        schema: ref("MemberRequest"),
        example: { user: { id: "robot", name: "Robot", color: "#888888" }, ttlMs: 30_000, meta: { task: "spelling" } },
      },
      answers: { 200: { description: "They are there", schema: ref("Member") } },
      errors: [409, 503],
    },
  };
}

/** [API-32] */
function removeMember(members: Members): Operation {
  return {
    method: "DELETE",
    path: PATH,
    level: "write",
    handle: async (call) => {
      if (await members.remove(placeOf(call))) return answerNothing();
      throw new ApiError(404, "no_such_member", "no server has set a member of this session here, or its time is over");
    },
    describe: {
      id: "removeMember",
      summary: "Takes somebody out who was put there by PUT; others see at once that they left",
      query: lobbyParameter,
      answers: { 204: { description: "They are gone" } },
      errors: [404],
    },
  };
}

function placeOf({ url, grant, parts: [name = "", session = ""] }: Call): MemberPlace {
  const room = roomIn(name);
  checkRoom(grant, room);
  return { room, lobby: lobbyFor(grant, readQuery(inLobby, url).lobby), session: sessionIn(session) };
}

/** The name of a session. Throws `ApiError` for the one that no session can have. [STATE-12] */
function sessionIn(part: string): string {
  const session = idIn(part);
  if (session !== "__proto__") return session;
  throw new ApiError(400, "invalid", "no session can be called __proto__");
}
