/** One-off messages of a server. [MSG-7] */
import type { Json } from "../../../presence/index.ts";
import { MAX_PAYLOAD_BYTES } from "../../../wire/index.ts";
import type { Broadcaster } from "../../wiring/broadcaster.ts";
import { answerJson } from "../answers/answer.ts";
import { ApiError } from "../answers/error.ts";
import { readJson, readQuery, roomIn } from "../input/read.ts";
import { inLobby, messageBody } from "../input/schemas.ts";
import type { Operation } from "../operation.ts";
import { ref } from "../schemas.ts";
import { checkRoom, lobbyInRoomFor, lobbyParameter } from "./shared.ts";

/** Besides the payload, which the limit of messages is for: JSON may be written with spaces. */
const MAX_BODY_BYTES = 4 * MAX_PAYLOAD_BYTES;

export function messageOperations(broadcasts: Broadcaster): readonly Operation[] {
  return [sendMessage(broadcasts)];
}

function sendMessage(broadcasts: Broadcaster): Operation {
  return {
    method: "POST",
    path: "/rooms/:name/messages",
    level: "write",
    handle: async ({ request, url, grant, parts: [part = ""] }) => {
      const room = roomIn(part);
      checkRoom(grant, room);
      const lobby = lobbyInRoomFor(grant, readQuery(inLobby, url).lobby) ?? undefined;
      const { type, payload } = await readJson(messageBody, request, MAX_BODY_BYTES);
      return answerJson(JSON.stringify({ connections: send(room, type, payload, lobby) }));
    },
    describe: {
      id: "sendMessage",
      summary: "Sends a one-off message to everybody who is in a room now; it is stored nowhere",
      description:
        'Clients of ours get it as room.on("message"), with `from` null, on all relays of a bus. Stock y-websocket clients do not. ' +
        "A key for one lobby reaches the people of that lobby.",
      query: lobbyParameter,
      body: {
        type: "application/json",
        schema: ref("MessageRequest"),
        example: { type: "deploy", payload: { text: "A new version in a minute" } },
      },
      answers: { 200: { description: "It is on its way", schema: ref("MessageSent") } },
    },
  };

  function send(room: string, type: string, payload: unknown, lobby: string | undefined): number {
    try {
      return broadcasts.send({ room, type, payload: payload as Json, lobby });
    } catch (error) {
      // what is too long or too deep
      if (error instanceof RangeError) throw new ApiError(400, "invalid", error.message);
      throw error;
    }
  }
}
