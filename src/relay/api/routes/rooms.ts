/** Who is in which room. */
import { isLobby } from "../../../wire/index.ts";
import { answerJson, answerWithTag, listOnce } from "../answers/answer.ts";
import { keyOfCursor, pageOf } from "../answers/paging.ts";
import { type Counts, countsOf, userJson } from "../answers/people.ts";
import type { ApiGrant } from "../access/grant.ts";
import type { FoundRooms } from "../../cluster/inquiries/elsewhere.ts";
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
    handle: async ({ request, url, grant, charge }) => {
      const { lobby, prefix, limit, cursor } = readQuery(roomsQuery, url);
      charge(limit);
      const within = lobbyInRoomFor(grant, lobby);
      const after = cursor === undefined ? "" : keyOfCursor(cursor);
      const found = await world.lookAround(grant, within, { prefix: prefix ?? "", after, limit: limit + 1 });
      const rooms = world.rooms(grant, within, prefix, found);
      const page = pageOf(rooms, (room) => room.name, limit, cursor);
      const texts = page.items.map((room) => roomJson(room, countsOf(room.users.values())));
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
    handle: async ({ request, url, grant, parts: [part = ""] }) => {
      const { lobby, people } = readQuery(roomQuery, url);
      const name = placeIn(part);
      check(grant, name, lobby);
      const room = view(world, grant, name, lobby, await look(world, grant, [name], !people));
      const written = world.written.of(room.name, room.users, world.now);
      const text = roomJson(room, written.counts);
      if (!people) return answerWithTag(request, () => text, [text]);
      const body = () => written.between(`${text.slice(0, -1)},"users":`, "}", world.now);
      return answerWithTag(request, body, [text, written.digest]);
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
      const names = rooms.map(placeOf);
      for (const name of names) check(grant, name, lobby);
      const found = await look(world, grant, names, !people);
      const texts = listOnce(names, (name) => {
        const room = view(world, grant, name, lobby, found);
        const text = roomJson(room, countsOf(room.users.values()));
        return people ? `${text.slice(0, -1)},"users":[${usersJson(room, world.now)}]}` : text;
      });
      return answerJson(`{"rooms":[${texts}]}`);
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

/** Throws `ApiError` for a room or lobby that the caller may not look at. */
function check(grant: ApiGrant, name: string, lobby: string | undefined): void {
  if (isLobby(name)) return void lobbyFor(grant, name);
  checkRoom(grant, name);
  lobbyInRoomFor(grant, lobby);
}

/** What other relays know of rooms and lobbies. */
async function look(world: World, grant: ApiGrant, names: readonly string[], isBrief: boolean): Promise<FoundRooms> {
  const found = await world.look(names, isBrief);
  const lobbies = grant.seesRoom === null ? [] : names.filter(isLobby);
  if (lobbies.length === 0) return found;
  // of a lobby this caller is told who is in some rooms
  const more = await Promise.all(lobbies.map((lobby) => world.lookAt(grant, lobby)));
  return new Map([...found, ...more.flatMap((each) => [...each])]);
}

function view(world: World, grant: ApiGrant, name: string, lobby: string | undefined, found: FoundRooms): RoomView {
  if (isLobby(name)) return { ...world.room(name, lobbyFor(grant, name)), users: world.users(grant, name, found) };
  return world.room(name, lobbyInRoomFor(grant, lobby), found);
}

/** Without the people in it. A batch has a thousand of these: put together so, they take a third of the time. */
function roomJson({ name, connections, hasDocument }: RoomView, counts: Counts): string {
  const { users, online, away, busy, dnd } = counts;
  const countsJson = `{"users":${users},"online":${online},"away":${away},"busy":${busy},"dnd":${dnd}}`;
  return `{"name":${JSON.stringify(name)},"counts":${countsJson},"connections":${connections},"hasDocument":${hasDocument}}`;
}

function usersJson({ users }: RoomView, now: number): string {
  return [...users.values()].map((user) => userJson(user, now)).join(",");
}
