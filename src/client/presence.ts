/** The client: one session, one lobby, any number of rooms. */
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { type JsonMeta, type JsonObject, MAX_ID_LENGTH, defaultActivityPolicy, readUserId } from "../presence/index.ts";
import { Union } from "../lobby/union.ts";
import { type Control, LINK_PATH, LOBBY, checkRoomName, lobbyRoom } from "../wire/index.ts";
import { announcementOf } from "./provider/announcement.ts";
import { RoomAwareness } from "./provider/awareness.ts";
import { RelayClock } from "./browser/clock.ts";
import { followRelay } from "./rosters/follow.ts";
import { LobbyReader } from "./rosters/lobby.ts";
import { createToldPeople } from "./rosters/told.ts";
import { WatchedPeople } from "./rosters/watch.ts";
import { nextMeta } from "./meta.ts";
import type { Presence, PresenceOptions, PresenceSettings } from "./options.ts";
import { browserDevice, browserPage } from "./browser/page.ts";
import { Provider } from "./provider/provider.ts";
import type { ProviderOptions } from "./provider/options.ts";
import { Link } from "./link/link.ts";
import { type JoinOptions, type JoinedRoom, joinRoom } from "./room.ts";
import { createSession } from "./session.ts";
import { type SocketTiming, type WebSocketConstructor, defaultSocketTiming } from "./link/socket.ts";
import { tabStorage, userStorage } from "./browser/storage.ts";
import { createTokens } from "./link/token.ts";

/**
 * Connects to a relay: announces this session in the lobby, and reads who else is there.
 *
 * @param url of the relay, `ws://localhost:1234`, without a query
 * @throws TypeError for a url with a query or fragment, a user without a usable id, or where there is no WebSocket to
 * connect with; RangeError for a lobby that no URL names, or metadata that the relay would not take; for a bad url what
 * the WebSocket throws, or with a token function TypeError
 */
export function createPresence<
  Meta extends JsonMeta<Meta> = JsonObject,
  RoomMeta extends JsonMeta<RoomMeta> = JsonObject,
>(url: string, options: PresenceOptions<Meta>): Presence<Meta, RoomMeta> {
  checkUser(options?.user?.id);
  checkUrl(url);
  // what is no text names no lobby
  checkRoomName(options.lobby || LOBBY);
  const lobbyName = lobbyRoom(options.lobby);
  checkRoomName(lobbyName);
  const baseUrl = url.replace(/\/+$/, "");
  const WebSocket = webSocketOf(options);
  let meta = nextMeta({} as Meta, (options as { readonly meta?: Meta }).meta ?? ({} as Meta));
  let isDestroyed = false;
  const rooms = new Map<string, JoinedRoom<RoomMeta>>();
  /** What was warned of last: the rooms of a client have the same troubles. */
  let warned = "";

  const timing: SocketTiming = times(defaultSocketTiming, options.timing);
  const clock = new RelayClock();
  const session = createSession({
    user: options.user,
    device: options.device ?? browserDevice(),
    policy: times(defaultActivityPolicy, options.activity),
    page: options.page ?? browserPage(),
    tab: tabStorage(options.tabStorage),
    local: userStorage(options.userStorage),
    clock,
  });
  const tokens = createTokens(
    options.token ?? "",
    {
      renewed: (token) => link.tell({ kind: "token", token }),
      // [TOKEN-3]
      failed(error) {
        warn(`copresence: there is no token: ${String(error)}`);
        lobby.tell("error", error);
      },
    },
    timing.backoffMs,
  );
  const link = new Link(
    { url: urlOfLink, WebSocket, tokens, isHidden: () => !session.visible, onControl: hear },
    timing,
  );

  const announcement = announcementOf(session, link);

  const doc = new Y.Doc();
  const awareness = new RoomAwareness(doc);
  let { observeLobby: observes = true } = options;
  const lobbyProvider = connection(lobbyName, doc, awareness, observes === true ? "read" : "none");
  const told =
    observes === true ? null : createToldPeople<Meta>(observes === "counts", (control) => lobbyProvider.say(control));
  const lobby = new LobbyReader<Meta>(lobbyName, options.user.id, {
    people: told ?? new Union<Meta>(doc),
    awareness,
    provider: lobbyProvider.inbound,
  });
  const settle = (): void => {
    if (told === null ? observes === false || (lobbyProvider.synced && lobby.vouched) : told.isVouched) {
      lobby.settle();
    }
  };
  lobbyProvider.on("control", (control) => {
    // a client that may not read the lobby has nothing to wait for: its lobby is live with oneself in it [CLIENT-14]
    if (control.kind === "hello" && control.grants?.includes("observe") === false) observes = false;
    if (told === null) {
      if (control.kind === "people") lobby.tellFirst(control.users);
    } else if (control.kind === "hello") told.greeted();
    else if (told.take(control)) settle();
  });
  lobbyProvider.on("synced", settle);
  lobbyProvider.on("snapshot", () => {
    // what was wrong is over
    warned = "";
    lobby.refresh();
    settle();
  });
  lobbyProvider.on("released", () => lobby.release());
  followRelay(lobby, lobbyProvider);

  session.on("change", announce);
  session.on("wake", () => {
    tokens.wake();
    link.wake();
  });
  session.on("suspend", () => {
    // others see the cursors go at once, and the user stays for the grace [STATE-10]
    for (const room of rooms.values()) room.clearCursor();
    // what is still to be said about the own state, now: no timer of the page runs any more
    lobbyProvider.outbound.flush();
    for (const { provider } of rooms.values()) provider.outbound.flush();
    link.suspend();
  });

  /** Says in the lobby who and how we are. */
  function announce(): void {
    awareness.setLocalState({ ...session.announce(meta) });
    announceOwn();
  }

  /** Shows the own session as it is, without waiting for the relay to say it back. */
  function announceOwn(): void {
    lobby.setOwn(session.announce(meta), [...rooms.keys()].toSorted());
  }

  /** Says once in the console what is wrong: the lobby and each room may find the same. */
  function warn(message: string): void {
    if (message !== warned) console.warn(message);
    warned = message;
  }

  function urlOfLink(): string {
    const params = new URLSearchParams(options.params);
    if (lobbyName !== LOBBY) params.set("lobby", lobbyName);
    const query = params.toString();
    return baseUrl + LINK_PATH + (query && `?${query}`);
  }

  /** The relay says something of the session or its token. */
  function hear(control: Control): void {
    if (control.kind === "hello") {
      if (control.now !== undefined) session.setTime(control.now);
      if (control.user !== undefined) session.bind(control.user);
    }
    if ("expiresInMs" in control) tokens.expires(control.expiresInMs ?? Infinity);
    if (control.kind === "manual") session.adopt(control.manual);
    // [OWN-5]
    if (control.kind === "superseded" && control.session === session.id) session.renew();
  }

  function connection(
    room: string,
    shared: Y.Doc,
    states: Awareness,
    sync: ProviderOptions["sync"] = "share",
  ): Provider {
    // it renews the state for others, of whom there are none
    if (WebSocket === null) clearInterval(states["_checkInterval"] as number);
    const provider = new Provider(shared, states, { room, link, sync, clock, timing, announcement });
    provider.on("problem", ({ message }) => warn(message));
    provider.on("control", hear);
    return provider;
  }

  const presence: Presence<Meta, RoomMeta> = {
    lobby,
    get refusal() {
      return lobby.refusal;
    },
    get session() {
      return session.id;
    },
    get user() {
      return session.user;
    },
    get status() {
      return session.status;
    },
    join(name, joinOptions: JoinOptions<RoomMeta> = {}) {
      if (isDestroyed) throw new Error("this presence is destroyed");
      checkRoomName(name);
      if (name.startsWith("@")) throw new RangeError(`"${name}": no room begins with @`);
      checkDoc(joinOptions.doc);
      const known = rooms.get(name);
      if (known !== undefined) {
        known.hold(joinOptions);
        return known;
      }
      const joined: JoinedRoom<RoomMeta> = joinRoom(name, session, connection, joinOptions, () => {
        // first: who joins again while the room is being left, joins another [CLIENT-16]
        rooms.delete(name);
        joined.destroy();
        announceOwn();
      });
      rooms.set(name, joined);
      announceOwn();
      return joined;
    },
    watch(userIds) {
      if (isDestroyed) throw new Error("this presence is destroyed");
      return new WatchedPeople<Meta>(lobby, userIds);
    },
    setStatus: (status) => session.choose(status),
    setMeta(change) {
      meta = nextMeta(meta, change, lobbyProvider.outbound.limits);
      announce();
      lobbyProvider.retry();
    },
    setUser: (user) => session.setUser({ ...user, id: session.user.id }),
    subscribe(listener) {
      let { refusal } = lobby;
      const undo = [
        session.on("change", listener),
        lobby.subscribe(() => {
          if (refusal === lobby.refusal) return;
          ({ refusal } = lobby);
          listener();
        }),
      ];
      return () => undo.forEach((each) => each());
    },
    // [RUN-3]
    destroy() {
      if (isDestroyed) return;
      isDestroyed = true;
      session.stop();
      tokens.stop();
      for (const room of rooms.values()) room.destroy();
      rooms.clear();
      lobby.destroy();
      lobbyProvider.destroy();
      awareness.destroy();
      doc.destroy();
      link.destroy();
    },
    connection: link,
  };

  announce();
  try {
    // the token of a function comes later, but the caller is to know of a bad address now
    if (typeof options.token === "function") void new URL(baseUrl, globalThis.location?.href);
    lobbyProvider.connect();
  } catch (error) {
    // an address that the WebSocket does not take [LIVE-20]
    presence.destroy();
    throw error;
  }
  return presence;
}

function checkUser(id: unknown): void {
  if (readUserId(id) !== undefined) return;
  throw new TypeError(
    `createPresence: user.id must be a text of 1 to ${MAX_ID_LENGTH} characters that does not begin with "guest:"`,
  );
}

/** [CLIENT-18] Fills in defaults. What is no time would make of a wait none, and of a client one that never stops to dial. */
function times<T extends Readonly<Record<keyof T, number>>>(defaults: T, given: Partial<T> | undefined): T {
  const all = { ...defaults, ...given };
  for (const name in defaults) if (!((all[name] ??= defaults[name]) >= 0)) throw new RangeError(`${name} must be ms`);
  return all;
}

/** [CLIENT-8] Rooms are paths behind the url, and would become part of a query or fragment. */
function checkUrl(url: unknown): asserts url is string {
  if (typeof url === "string" && /^[^?#]+$/.test(url)) return;
  throw new TypeError(`createPresence: the url is "${String(url)}", not ws://HOST:PORT without a query`);
}

/** [PKG-2] Refuses a document of another copy of Yjs: what is written to it would be lost in part, without a word. */
function checkDoc(doc: unknown): void {
  if (doc === undefined || doc instanceof Y.Doc) return;
  throw new TypeError("join: `doc` is no Y.Doc, or Yjs is loaded twice: import both packages, or require both");
}

let hasWarned = false;

/** [REACT-4] Without a page, a client connects only if the application says so: a server that renders pages runs this too. */
function webSocketOf({ connect, WebSocket }: ConnectOptions): WebSocketConstructor | null {
  const hasPage = "window" in globalThis || "importScripts" in globalThis;
  if (connect ?? (hasPage || WebSocket !== undefined)) {
    const found = WebSocket ?? (globalThis as ConnectOptions).WebSocket;
    if (found !== undefined) return found;
    throw new TypeError('createPresence: there is no global WebSocket here; pass that of "ws"');
  }
  // a script that forgot to pass a WebSocket looks like a page that is rendered on a server: its author is told once
  if (connect === undefined && !hasWarned) {
    hasWarned = true;
    console.warn("copresence: no page: this client does not connect; pass a WebSocket, or { connect: false }");
  }
  return null;
}

type ConnectOptions = Pick<PresenceSettings, "connect" | "WebSocket">;
