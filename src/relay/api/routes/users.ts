/** Who is online: one, some or all. */
import type { User } from "../../../presence/index.ts";
import { answerJson, answerWithTag, listOnce } from "../answers/answer.ts";
import { ApiError } from "../answers/error.ts";
import { pageOf } from "../answers/paging.ts";
import { digestOf, unknownUserJson, userJson } from "../answers/people.ts";
import { idIn, readJson, readQuery } from "../input/read.ts";
import { MAX_ITEMS, inLobby, usersBatch, usersQuery } from "../input/schemas.ts";
import type { Call, Operation } from "../operation.ts";
import { ref } from "../schemas.ts";
import type { World } from "../world.ts";
import { lobbyFor, lobbyParameter, pageParameters } from "./shared.ts";

/** A list of ids is larger than anything else that is asked here. */
const MAX_BODY_BYTES = 2 * 2 ** 20;

export function userOperations(world: World): readonly Operation[] {
  return [listUsers(world), getUser(world), batchUsers(world)];
}

/** [API-5] */
function listUsers(world: World): Operation {
  const list = async ({ request, url, grant, charge }: Call): Promise<Response> => {
    const query = readQuery(usersQuery, url);
    const lobby = lobbyFor(grant, query.lobby);
    const { ids, limit, cursor } = query;
    if (ids !== undefined) charge(ids.length);
    else charge(limit);
    const found = await world.lookAt(grant, lobby);
    const statuses = query.status === undefined ? null : new Set<string>(query.status);
    const asked =
      ids === undefined ? all(lobby) : [...new Set(ids)].flatMap((id) => world.user(grant, lobby, id, found) ?? []);
    function* all(of: string): Iterable<User> {
      yield* world.users(grant, of, found).values();
      // those who are not here are told of to those who ask for them
      if (statuses?.has("offline") === true) yield* world.leavers(grant, of);
    }
    const page = pageOf(matching(asked, statuses), (user) => user.id, limit, cursor);
    const text = (): string => `{"users":[${jsonOf(page.items, world.now)}],"cursor":${JSON.stringify(page.cursor)}}`;
    return answerWithTag(request, text, [page.cursor ?? "", ...page.items.map(digestOf)]);
  };
  return {
    method: "GET",
    path: "/users",
    level: "read",
    handle: list,
    describe: {
      id: "listUsers",
      summary: "Who is online in a lobby, in the order of their ids",
      query: {
        ids: {
          type: "string",
          description: `only these, by commas, at most ${MAX_ITEMS}; with those who left and are remembered`,
        },
        status: {
          type: "string",
          description: "only those of these statuses, by commas; `offline` lists those who left and are remembered",
        },
        ...pageParameters,
        ...lobbyParameter,
      },
      answers: { 200: { description: "A page of users", schema: ref("UserList") } },
    },
  };
}

/** [API-6] */
function getUser(world: World): Operation {
  return {
    method: "GET",
    path: "/users/:id",
    level: "read",
    handle: async ({ request, url, grant, parts: [part = ""] }) => {
      const id = idIn(part);
      const lobby = lobbyFor(grant, readQuery(inLobby, url).lobby);
      const user = world.user(grant, lobby, id, await world.lookAt(grant, lobby));
      if (user === undefined) {
        throw new ApiError(404, "no_such_user", "nobody of this id is online in this lobby, or left it of late");
      }
      return answerWithTag(request, () => userJson(user, world.now), [digestOf(user)]);
    },
    describe: {
      id: "getUser",
      summary: "One user: who is online, or who left and is remembered (offline, with lastSeen)",
      query: lobbyParameter,
      answers: { 200: { description: "The user", schema: ref("User") } },
      errors: [404],
    },
  };
}

/** [API-9] */
function batchUsers(world: World): Operation {
  return {
    method: "POST",
    path: "/users:batch",
    level: "read",
    handle: async ({ request, url, grant, charge }) => {
      const lobby = lobbyFor(grant, readQuery(inLobby, url).lobby);
      const { ids } = await readJson(usersBatch, request, MAX_BODY_BYTES);
      charge(ids.length);
      const found = await world.lookAt(grant, lobby);
      const known = grant.seesRoom === null ? null : world.users(grant, lobby, found);
      const { now } = world;
      const texts = listOnce(ids, (id) => {
        const user = known === null ? world.user(grant, lobby, id) : known.get(id);
        return user === undefined ? unknownUserJson(id) : userJson(user, now);
      });
      return answerJson(`{"users":[${texts}]}`);
    },
    describe: {
      id: "batchUsers",
      summary: `Many users in one request, at most ${MAX_ITEMS}, in the order of their ids as given`,
      description: "One who is not known is answered as offline, with lastSeen null.",
      query: lobbyParameter,
      body: { type: "application/json", schema: ref("UserBatchRequest"), example: { ids: ["alice", "bob"] } },
      answers: { 200: { description: "The users", schema: ref("UserBatch") } },
    },
  };
}

function* matching(users: Iterable<User>, statuses: ReadonlySet<string> | null): Iterable<User> {
  for (const user of users) if (statuses === null || statuses.has(user.status)) yield user;
}

function jsonOf(users: readonly User[], now: number): string {
  return users.map((user) => userJson(user, now)).join(",");
}
