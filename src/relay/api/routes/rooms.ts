/** Who is in which room. */
import { isLobby } from "../../../wire/index.ts";
import { answerJson, answerWithTag } from "../answers/answer.ts";
import { pageOf } from "../answers/paging.ts";
import { countsOf, digestOf, userJson } from "../answers/people.ts";
import type { ApiGrant } from "../access/grant.ts";
import { placeIn, placeOf, readJson, readQuery } from "../input/read.ts";
import { MAX_ITEMS, inLobby, roomQuery, roomsBatch, roomsQuery } from "../input/schemas.ts";
import type { Operation } from "../operation.ts";
import { ref } from "../schemas.ts";
import type { RoomView, World } from "../world.ts";
import { checkRoom, lobbyFor, lobbyInRoomFor, lobbyParameter, pageParameters } from "./shared.ts";

/** So many names of rooms, at their longest, fit. */
const MAX_BODY_BYTES = 4 * 2 ** 20;

export function roomOperations(world: World): readonly Operation[] {
  return [listRooms(world), getRoom(world), batchRooms(world)];
}

/** [API-7] */
function listRooms(world: World): Operation {
  return {
    method: "GET",
    path: "/rooms",
    level: "read",
    handle: ({ request, url, grant, charge }) => {
      const { lobby, prefix, limit, cursor } = readQuery(roomsQuery, url);
      charge(limit);
      const rooms = world.rooms(grant, lobbyInRoomFor(grant, lobby), prefix);
      const page = pageOf(rooms, (room) => room.name, limit, cursor);
      const texts = page.items.map((room) => roomJson(room, null));
      const text = `{"rooms":[${texts.join(",")}],"cursor":${JSON.stringify(page.cursor)}}`;
      return answerWithTag(request, () => text, [text]);
    },
    describe: {
      id: "listRooms",
      summary: "Rooms that somebody is in, in the order of their names, with counts and without people",
      query: {
        prefix: { type: "string", description: "only rooms whose names begin so" },
        ...pageParameters,
        ...lobbyParameter,
      },
      answers: { 200: { description: "A page of rooms", schema: ref("RoomList") } },
    },
  };
}

/** [API-8] [API-14] */
function getRoom(world: World): Operation {
  return {
    method: "GET",
    path: "/rooms/:name",
    level: "read",
    handle: ({ request, url, grant, parts: [part = ""] }) => {
      const { lobby, people } = readQuery(roomQuery, url);
      const room = view(world, grant, placeIn(part), lobby);
      const users = people ? [...room.users.values()] : [];
      const text = (): string => roomJson(room, people ? world.now : null);
      return answerWithTag(request, text, [roomJson(room, null), ...users.map(digestOf)]);
    },
    describe: {
      id: "getRoom",
      summary: "Who is in a room, and how many",
      description: "A room that nobody is in is answered as empty. @lobby and @lobby/acme are the lobbies, as rooms.",
      query: {
        people: { type: "boolean", default: true, description: "false: counts alone" },
        ...lobbyParameter,
      },
      answers: { 200: { description: "The room", schema: ref("Room") } },
    },
  };
}

/** [API-9] [API-14] */
function batchRooms(world: World): Operation {
  return {
    method: "POST",
    path: "/rooms:batch",
    level: "read",
    handle: async ({ request, url, grant, charge }) => {
      const { lobby } = readQuery(inLobby, url);
      const { rooms, people } = await readJson(roomsBatch, request, MAX_BODY_BYTES);
      charge(rooms.length);
      const now = people ? world.now : null;
      const texts = rooms.map((name) => roomJson(view(world, grant, placeOf(name), lobby), now));
      return answerJson(`{"rooms":[${texts.join(",")}]}`);
    },
    describe: {
      id: "batchRooms",
      summary: `Many rooms in one request, at most ${MAX_ITEMS}, in the order of their names as given`,
      query: lobbyParameter,
      body: { type: "application/json", schema: ref("RoomBatchRequest"), example: { rooms: ["doc-1", "doc-2"] } },
      answers: {
        200: { description: "The rooms, with counts, and with people if asked for", schema: ref("RoomBatch") },
      },
    },
  };
}

function view(world: World, grant: ApiGrant, name: string, lobby: string | undefined): RoomView {
  if (isLobby(name)) return { ...world.room(name, lobbyFor(grant, name)), users: world.users(grant, name) };
  checkRoom(grant, name);
  return world.room(name, lobbyInRoomFor(grant, lobby));
}

/** @param now for the people in it; null: without people */
function roomJson({ name, users, connections, hasDocument }: RoomView, now: number | null): string {
  const counts = countsOf(users.values());
  const text = JSON.stringify({ name, counts, connections, hasDocument });
  if (now === null) return text;
  return `${text.slice(0, -1)},"users":[${[...users.values()].map((user) => userJson(user, now)).join(",")}]}`;
}
