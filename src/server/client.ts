/** A typed caller of the relay's HTTP API. [API-35] */
import { type Json, checkJson } from "../presence/index.ts";
import { type ServerEvent, listen } from "./events.ts";
import { type Asking, ask, askJson, orNull } from "./request.ts";
import type {
  DisconnectOptions,
  Disconnected,
  EventsOptions,
  InLobby,
  MemberOptions,
  Page,
  RoomInfo,
  ServerUser,
  SetMember,
  UsersOptions,
} from "./types.ts";

export interface ServerOptions {
  /** Where the relay is: `http://localhost:1234`, or behind a path, `https://app.example/presence`. */
  readonly url: string;
  /** A key of the relay (`--api-key`), or a token with the claim `api`; a variable that is not set is refused. */
  readonly key: string | undefined;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** All of these reject with a `ServerError` for what the API refuses. */
export interface PresenceServer {
  /** Who is online, a page of them. */
  users(options?: UsersOptions): Promise<Page<ServerUser>>;
  /** One user who is online, or left and is remembered; null: nobody knows of them. */
  user(id: string, options?: InLobby): Promise<ServerUser | null>;
  /** Rooms that somebody is in, a page of them, with counts and without people. */
  rooms(
    options?: InLobby & Pick<UsersOptions, "limit" | "cursor"> & { readonly prefix?: string },
  ): Promise<Page<RoomInfo>>;
  /** Who is in a room. @param options.people false: counts alone; default true */
  room(name: string, options?: InLobby & { readonly people?: boolean }): Promise<RoomInfo>;
  /** Up to 1,000 users or rooms in one request, in the order in which they are named. */
  readonly batch: {
    users(ids: readonly string[], options?: InLobby): Promise<readonly ServerUser[]>;
    /** @param options.people with the people of each room; default false */
    rooms(names: readonly string[], options?: InLobby & { readonly people?: boolean }): Promise<readonly RoomInfo[]>;
  };
  /** Closes all connections of a user, who is refused for as long as `forMs` says. */
  disconnect(userId: string, options?: DisconnectOptions): Promise<Disconnected>;
  /** Asks all connections of a user for a new token. */
  refresh(userId: string, options?: InLobby): Promise<{ readonly connections: number }>;
  /**
   * Sends a one-off message to everybody who is in a room now: `room.on("message")` of the client, with `from` null.
   *
   * @param payload anything that JSON can hold, at most 16 KiB; default null
   */
  broadcast(room: string, type: string, payload?: Json, options?: InLobby): Promise<{ readonly connections: number }>;
  /** Puts somebody into a room who has no connection, or sets them anew. @param session by which name you know them */
  setMember(room: string, session: string, member: MemberOptions): Promise<SetMember>;
  /** Takes them out. Resolves with whether they were there. */
  removeMember(room: string, session: string, options?: InLobby): Promise<boolean>;
  /** Documents as Yjs updates. */
  readonly document: {
    /** All of it; null: the room has none. */
    get(room: string): Promise<Uint8Array | null>;
    /** Adds an update to it, as a client would. */
    put(room: string, update: Uint8Array): Promise<void>;
    /** Deletes it, where nobody is in the room. Resolves with whether there was one. */
    delete(room: string): Promise<boolean>;
  };
  /**
   * What happens, from now on: first `reset`, which says who is where, then each change. Through lost connections it goes on
   * where it was, or with another `reset`. Break out of the loop, or abort the signal, to end it.
   */
  events(options?: EventsOptions): AsyncIterable<ServerEvent>;
}

/**
 * Makes a caller of a relay's API.
 *
 * @throws TypeError for an address that no request can be sent to, or without a key
 */
export function createServerClient({ url, key: given, fetch: send = globalThis.fetch }: ServerOptions): PresenceServer {
  // a file with a key ends in a line end
  const key = given?.trim() ?? "";
  if (key === "")
    throw new TypeError("createServerClient: there is no key: give it one of those of the relay's --api-key");
  // what a header cannot carry no `fetch` would send, however often it is tried again
  if (!/^[!-~]+$/.test(key))
    throw new TypeError("createServerClient: a key has no spaces, line ends or letters but ASCII");
  const asking: Asking = { url: baseOf(url), key, fetch: send };
  const roomPath = (name: string): string => `/rooms/${segment(name)}`;
  const userPath = (id: string): string => `/users/${segment(id)}`;
  const memberPath = (room: string, session: string): string => `${roomPath(room)}/members/${segment(session)}`;
  const documentPath = (room: string): string => `${roomPath(room)}/document`;
  return {
    users: async ({ ids, status, limit, cursor, lobby } = {}) => {
      // nobody is among none
      if (ids?.length === 0 || status?.length === 0) return { items: [], cursor: null };
      const split = ids?.find((id) => id.includes(","));
      if (split !== undefined) throw new RangeError(`"${split}": an id with a comma is asked for with batch.users`);
      const query = { ids: ids?.join(), status: status?.join(), limit, cursor: cursor ?? undefined, lobby };
      const page = await askJson<{ users: readonly ServerUser[]; cursor: string | null }>(asking, {
        path: "/users",
        query,
      });
      return { items: page.users, cursor: page.cursor };
    },
    user: async (id, { lobby } = {}) => orNull(askJson(asking, { path: userPath(id), query: { lobby } })),
    rooms: async ({ prefix, limit, cursor, lobby } = {}) => {
      const query = { prefix, limit, cursor: cursor ?? undefined, lobby };
      const page = await askJson<{ rooms: readonly RoomInfo[]; cursor: string | null }>(asking, {
        path: "/rooms",
        query,
      });
      return { items: page.rooms, cursor: page.cursor };
    },
    room: async (name, { lobby, people } = {}) => askJson(asking, { path: roomPath(name), query: { lobby, people } }),
    batch: {
      users: async (ids, { lobby } = {}) => {
        const asked = { method: "POST", path: "/users:batch", query: { lobby }, body: { ids } } as const;
        return (await askJson<{ users: readonly ServerUser[] }>(asking, asked)).users;
      },
      rooms: async (rooms, { lobby, people = false } = {}) => {
        const asked = { method: "POST", path: "/rooms:batch", query: { lobby }, body: { rooms, people } } as const;
        return (await askJson<{ rooms: readonly RoomInfo[] }>(asking, asked)).rooms;
      },
    },
    disconnect: async (id, { lobby, ...body } = {}) =>
      askJson(asking, { method: "POST", path: `${userPath(id)}/disconnect`, query: { lobby }, body }),
    refresh: async (id, { lobby } = {}) =>
      askJson(asking, { method: "POST", path: `${userPath(id)}/refresh`, query: { lobby } }),
    broadcast: async (room, type, payload = null, { lobby } = {}) => {
      checkJson(payload, "payload");
      const body = { type, payload };
      return askJson(asking, { method: "POST", path: `${roomPath(room)}/messages`, query: { lobby }, body });
    },
    setMember: async (room, session, { lobby, ...body }) => {
      if (body.meta !== undefined) checkJson(body.meta, "meta");
      return askJson(asking, { method: "PUT", path: memberPath(room, session), query: { lobby }, body });
    },
    removeMember: async (room, session, { lobby } = {}) => {
      const asked = { method: "DELETE", path: memberPath(room, session), query: { lobby } } as const;
      return (await orNull(ask(asking, asked))) !== null;
    },
    document: {
      get: async (room) => {
        const response = await orNull(ask(asking, { path: documentPath(room) }));
        return response === null ? null : new Uint8Array(await response.arrayBuffer());
      },
      put: async (room, update) => void (await ask(asking, { method: "PUT", path: documentPath(room), body: update })),
      delete: async (room) => (await orNull(ask(asking, { method: "DELETE", path: documentPath(room) }))) !== null,
    },
    events: ({ lobby, room, prefix, user, signal } = {}) =>
      listen(asking, { path: "/events", query: { lobby, room, prefix, user }, signal }),
  };
}

/** Where the API is. Throws a `TypeError` for an address that no request can be sent to. */
function baseOf(url: unknown): string {
  if (typeof url === "string" && URL.canParse(url)) {
    const { protocol, username, password, search, hash, href } = new URL(url);
    const isPlain = [username, password, search, hash].every((part) => part === "");
    if (/^(http|ws)s?:$/.test(protocol) && isPlain) return href.replace(/^ws/, "http").replace(/[/?#]+$/, "");
  }
  throw new TypeError(`createServerClient: the url is "${String(url)}", not http://HOST:PORT`);
}

/** A name in an address. Throws a `RangeError` for one that would lead to another address: whatever is there would pass for the answer. */
function segment(name: string): string {
  if (name !== "" && name !== "." && name !== "..") return encodeURIComponent(name);
  throw new RangeError(`"${name}" is no name that an address can have`);
}
