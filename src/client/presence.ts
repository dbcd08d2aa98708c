/** The client: one session, one lobby, any number of rooms. */
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import {
  type ActivityPolicy,
  type Device,
  type JsonMeta,
  type JsonObject,
  MAX_ID_LENGTH,
  type ManualStatus,
  type MetaOption,
  type Unsubscribe,
  type UserInfo,
  defaultActivityPolicy,
  readUserId,
} from "../presence/index.ts";
import { LOBBY, checkRoomName, lobbyRoom, roomToPath } from "../wire/index.ts";
import { RoomAwareness } from "./awareness.ts";
import { RelayClock, monotonic } from "./clock.ts";
import { type Lobby, LobbyReader } from "./lobby.ts";
import { type Page, browserDevice, browserPage } from "./page.ts";
import { nextMeta } from "./meta.ts";
import { Provider } from "./provider.ts";
import type { ProviderOptions } from "./provider/options.ts";
import { type JoinArguments, type JoinOptions, JoinedRoom, type Room } from "./room.ts";
import type { Refusal } from "./roster.ts";
import { OwnSession, type OwnStatus } from "./session.ts";
import type { SocketTiming, WebSocketConstructor } from "./socket.ts";
import { type PresenceStorage, reliable, tabStorage, userStorage } from "./storage.ts";
import { type TokenSource, Tokens } from "./token.ts";

/** `meta` is what everyone sees as this session's metadata; default `{}`, where nothing in its type is required. */
export type PresenceOptions<Meta = JsonObject> = PresenceSettings & MetaOption<Meta>;

/** The options of `createPresence`, but for the metadata. */
export interface PresenceSettings {
  /**
   * Who the user is. `id` is what counts them once, however many tabs and devices. What a token says of the user holds
   * instead, for oneself as for others. Without a `color`, it gets one that is made from the id (`colorOf`).
   */
  readonly user: UserInfo;
  /**
   * What the relay lets this client in with: a JWT, or what else its `authenticate` takes, of letters, digits and `._~-`.
   * Default, and if it is empty: nothing. A function is asked anew for each connect (once for all rooms that connect at
   * the same time), and in time before the token expires: the connections go on with the next one. While it throws,
   * rejects or returns what is no token, or one that the relay does not take (4401), the lobby emits `error`, and it is
   * asked again with growing waits of up to 30 s.
   */
  readonly token?: TokenSource;
  /** The lobby: `acme` for `@lobby/acme`. Default: `@lobby`. */
  readonly lobby?: string;
  /**
   * Whether to read the lobby. Default true; with false this session is seen there, but `presence.lobby` knows nobody
   * but oneself, and costs nothing however many there are.
   */
  readonly observeLobby?: boolean;
  /** More URL parameters for each connection. */
  readonly params?: Readonly<Record<string, string>>;
  /** Default: the page's. Outside of a page (Node, Deno, Bun) pass one, that of `ws` or the global one: see `connect`. */
  readonly WebSocket?: WebSocketConstructor;
  /**
   * Whether to connect at all. Default: on a page or in a worker, and wherever a `WebSocket` is passed. A client that is
   * made anywhere else, most often because a page is rendered on a server, puts nobody online: it knows nobody but
   * oneself, opens no socket and leaves no timer. With `true` the global WebSocket is taken wherever there is one.
   */
  readonly connect?: boolean;
  /** Default: what the browser says; `desktop` outside of one. */
  readonly device?: Device;
  /** When this tab is `away`, ms. Default 45 s hidden (15 s on a phone or tablet), 5 min without input. */
  readonly activity?: Partial<ActivityPolicy>;
  /** Reconnecting, ms. */
  readonly timing?: Partial<SocketTiming>;
  /** Where signals of visibility and input come from. Default: the browser's page. */
  readonly page?: Page;
  /** Where the session id is kept through a reload. Default: sessionStorage, or memory where there is none. */
  readonly tabStorage?: PresenceStorage;
  /** Where the user's choice of status is kept. Default: localStorage, or memory where there is none. */
  readonly userStorage?: PresenceStorage;
}

export interface Presence<Meta = JsonObject, RoomMeta = JsonObject> {
  /** Why the relay refused the lobby for good, else null: as `lobby.refusal`. */
  readonly refusal: Refusal | null;
  /** The id of this tab. */
  readonly session: string;
  /** As others see it: what the token says of the user holds, once the relay has said so. */
  readonly user: UserInfo;
  /** The own status; the same object for as long as nothing changed. */
  readonly status: OwnStatus;
  /** Everyone in the application. */
  readonly lobby: Lobby<Meta>;
  /**
   * Joins a room; joined twice, it is the same room, and takes two `leave`s.
   *
   * @throws RangeError for a name that no URL carries (empty, over 512 characters, with a segment `.` or `..`, …) or that
   * begins with `@`; TypeError for a document of another copy of Yjs; Error when the room is joined with another document
   * already, or the client is destroyed
   */
  join(room: string, ...options: JoinArguments<RoomMeta>): Room<RoomMeta>;
  /** Chooses a status for all sessions of the user; `null` goes back to `online` and `away` by activity. */
  setStatus(status: ManualStatus | null): void;
  /**
   * Changes what everyone sees as this session's metadata.
   *
   * @throws TypeError for what is no object, or that JSON cannot hold; RangeError for more than the relay takes (16 KiB,
   * 62 levels)
   */
  setMeta(meta: Meta | ((previous: Meta) => Meta)): void;
  /** Changes the user's name, colours or avatar, everywhere; but for what the token says. */
  setUser(user: Partial<Omit<UserInfo, "id">>): void;
  /** Calls back when the own status, session, user or `refusal` changed. */
  subscribe(listener: () => void): Unsubscribe;
  /** Leaves everything at once, and leaves no socket, timer or listener behind. */
  destroy(): void;
}

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
  return new PresenceClient<Meta, RoomMeta>(url, options);
}

type OwnOptions<Meta> = PresenceSettings & { readonly meta?: Meta };

/** What is still wrong is said again in the console when nothing was wrong for so long, ms. */
const WARN_AGAIN_MS = 60_000;

class PresenceClient<Meta, RoomMeta> implements Omit<Presence<Meta, RoomMeta>, "join"> {
  readonly lobby: LobbyReader<Meta>;
  /** Without a slash at its end. */
  readonly #url: string;
  readonly #clock = new RelayClock();
  /** What was warned of, and when, monotonic ms: the rooms of a client have the same troubles. */
  readonly #warned = new Map<string, number>();
  readonly #options: PresenceSettings;
  /** null: this client does not connect. */
  readonly #WebSocket: WebSocketConstructor | null;
  readonly #session: OwnSession;
  readonly #lobbyProvider: Provider;
  readonly #tokens: Tokens;
  readonly #rooms = new Map<string, JoinedRoom<RoomMeta>>();
  #meta: Meta;
  #destroyed = false;

  constructor(url: string, options: OwnOptions<Meta>) {
    if (readUserId(options?.user?.id) === undefined) {
      throw new TypeError(
        `createPresence: user.id must be a text of 1 to ${MAX_ID_LENGTH} characters that does not begin with "guest:"`,
      );
    }
    const name = lobbyRoom(options.lobby);
    checkRoomName(name);
    // [CLIENT-8] rooms are paths behind the url, and would become part of either
    const [extra] = /[?#].*/.exec(url) ?? [];
    if (extra !== undefined) {
      throw new TypeError(
        `createPresence: the url cannot hold "${extra}": parameters go into the option "params", a token into "token"`,
      );
    }
    this.#url = url.replace(/\/+$/, "");
    this.#options = options;
    this.#WebSocket = webSocketOf(options);
    this.#meta = nextMeta({} as Meta, options.meta ?? ({} as Meta));
    this.#session = new OwnSession({
      user: options.user,
      device: options.device ?? browserDevice(),
      policy: { ...defaultActivityPolicy, ...options.activity },
      page: options.page ?? browserPage(),
      tab: options.tabStorage ? reliable(options.tabStorage) : tabStorage(),
      local: options.userStorage ? reliable(options.userStorage) : userStorage(),
      clock: this.#clock,
    });
    const handler = {
      renewed: (token: string) => this.#eachProvider((provider) => provider.authorize(token)),
      failed: (error: unknown) => {
        this.#warn(`copresence: there is no token: ${String(error)}`);
        this.lobby.fail(error);
      },
    };
    this.#tokens = new Tokens(options.token, handler, options.timing?.backoffMs);
    const doc = new Y.Doc();
    const awareness = new RoomAwareness(doc);
    this.#lobbyProvider = this.#provider(name, doc, awareness, options.observeLobby === false ? "none" : "read");
    this.lobby = new LobbyReader<Meta>(name, options.user.id, { doc, awareness, provider: this.#lobbyProvider });
    this.#followLobby();
    this.#announce();
    this.#session.on("change", () => this.#announce());
    this.#session.on("wake", () => {
      this.#tokens.wake();
      this.#eachProvider((provider) => provider.wake());
    });
    this.#session.on("suspend", () => {
      // [STATE-10] the person keeps the grace
      for (const room of this.#rooms.values()) room.clearCursor();
      this.#eachProvider((provider) => provider.suspend());
    });
    try {
      // that of a function comes later, and whoever is to know of a bad address is here now
      if (typeof options.token === "function") void new URL(this.#url, globalThis.location?.href);
      this.#lobbyProvider.connect();
    } catch (error) {
      // an address that the WebSocket does not take
      this.destroy();
      throw error;
    }
  }

  get refusal(): Refusal | null {
    return this.lobby.refusal;
  }

  get session(): string {
    return this.#session.id;
  }

  get user(): UserInfo {
    return this.#session.user;
  }

  get status(): OwnStatus {
    return this.#session.status;
  }

  join(room: string, options: JoinOptions<RoomMeta> = {}): Room<RoomMeta> {
    if (this.#destroyed) throw new Error("this presence is destroyed");
    checkRoomName(room);
    if (room.startsWith("@")) throw new RangeError(`"${room}" is no room to join: names with @ first are reserved`);
    checkDoc(options.doc);
    const known = this.#rooms.get(room);
    if (known !== undefined) {
      known.hold(options);
      return known;
    }
    const joined = new JoinedRoom<RoomMeta>(
      room,
      this.#session,
      (name, doc, awareness) => this.#provider(name, doc, awareness),
      options,
      () => {
        this.#rooms.delete(room);
        this.#announceOwn();
      },
    );
    this.#rooms.set(room, joined);
    this.#announceOwn();
    return joined;
  }

  setStatus(status: ManualStatus | null): void {
    this.#session.choose(status);
  }

  setMeta(meta: Meta | ((previous: Meta) => Meta)): void {
    this.#meta = nextMeta(this.#meta, meta, this.#lobbyProvider.limits);
    this.#announce();
    this.#lobbyProvider.retry();
  }

  setUser(user: Partial<Omit<UserInfo, "id">>): void {
    this.#session.setUser({ ...user, id: this.#session.user.id });
  }

  readonly subscribe = (listener: () => void): Unsubscribe => {
    let { refusal } = this;
    const undo = [
      this.#session.on("change", listener),
      this.lobby.subscribe(() => {
        if (refusal === this.refusal) return;
        ({ refusal } = this);
        listener();
      }),
    ];
    return () => undo.forEach((each) => each());
  };

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#session.stop();
    this.#tokens.stop();
    for (const room of this.#rooms.values()) room.destroy();
    this.#rooms.clear();
    this.lobby.destroy();
    this.#lobbyProvider.destroy();
    this.#lobbyProvider.awareness.destroy();
    this.#lobbyProvider.doc.destroy();
  }

  #provider(
    room: string,
    doc: Y.Doc,
    awareness: Awareness,
    sync: ProviderOptions["sync"] & string = "share",
  ): Provider {
    // it renews the state for others, of whom there are none
    if (this.#WebSocket === null) clearInterval(awareness["_checkInterval"] as number);
    const provider = new Provider(() => this.#urlOf(room, doc), doc, awareness, {
      sync,
      room,
      clock: this.#clock,
      WebSocket: this.#WebSocket,
      tokens: this.#tokens,
      isHidden: () => !this.#session.visible,
      ...(this.#options.timing !== undefined && { timing: this.#options.timing }),
    });
    provider.on("problem", ({ message }) => this.#warn(message));
    provider.on("control", (control) => {
      if (control.kind === "hello" && control.now !== undefined) this.#session.setTime(control.now);
      if ("user" in control) this.#session.bind(control.user);
      if ("expiresInMs" in control) this.#tokens.expires(control.expiresInMs ?? Infinity);
      if (control.kind === "manual") this.#session.adopt(control.manual);
      if (control.kind === "superseded" && control.session === this.#session.id) this.#session.renew();
    });
    return provider;
  }

  #urlOf(room: string, { gc }: Y.Doc): string {
    const params = new URLSearchParams(this.#options.params);
    // [DOC-11] it goes back in its history: the relay is not to forget what was deleted
    if (!gc) params.set("gc", "false");
    if (this.lobby.roomId !== LOBBY) params.set("lobby", this.lobby.roomId);
    const query = params.toString();
    return `${this.#url}${roomToPath(room)}${query === "" ? "" : `?${query}`}`;
  }

  /** Says once in the console what is wrong: the lobby and each room may find the same. */
  #warn(message: string): void {
    const now = monotonic();
    if (now - (this.#warned.get(message) ?? -Infinity) > WARN_AGAIN_MS) console.warn(message);
    this.#warned.set(message, now);
  }

  #followLobby(): void {
    const { lobby } = this;
    const provider = this.#lobbyProvider;
    let observes = this.#options.observeLobby ?? true;
    provider.on("control", (control) => {
      // who may not read the lobby knows all that there is to know
      if (control.kind === "hello" && control.grants?.includes("observe") === false) observes = false;
    });
    const settle = (): void => {
      if (!observes || (provider.synced && lobby.vouched)) lobby.flush("live");
    };
    provider.on("synced", settle);
    provider.on("snapshot", () => {
      lobby.refresh();
      settle();
    });
    provider.on("released", () => lobby.release());
    lobby.follow(provider);
  }

  /** Says in the lobby who and how we are. */
  #announce(): void {
    this.#lobbyProvider.awareness.setLocalState(this.#session.announce(this.#meta));
    this.#announceOwn();
  }

  #announceOwn(): void {
    this.lobby.setOwn(this.#session.announce(this.#meta), [...this.#rooms.keys()].toSorted());
  }

  #eachProvider(act: (provider: Provider) => void): void {
    act(this.#lobbyProvider);
    for (const room of this.#rooms.values()) act(room.provider);
  }
}

/** [PKG-2] Refuses a document of another copy of Yjs: what is written to it would be lost in part, without a word. */
function checkDoc(doc: unknown): void {
  if (doc === undefined || doc instanceof Y.Doc) return;
  throw new TypeError(
    "join: `doc` is no Y.Doc of the Yjs that copresence uses. If it is a Y.Doc, Yjs is loaded twice: import both " +
      "packages, or require both, and let `npm ls yjs` list one version (bundlers can dedupe or alias yjs)",
  );
}

/** [REACT-4] Where there is no page, only who says so connects: a server that renders a page runs the page's code too. */
function webSocketOf({ connect, WebSocket }: ConnectOptions): WebSocketConstructor | null {
  const hasPage = "window" in globalThis || "importScripts" in globalThis;
  if (!(connect ?? (hasPage || WebSocket !== undefined))) {
    if (connect === undefined) warnOnce();
    return null;
  }
  const found = WebSocket ?? (globalThis as ConnectOptions).WebSocket;
  if (found !== undefined) return found;
  throw new TypeError('createPresence: there is no global WebSocket here; pass one, such as { WebSocket } from "ws"');
}

type ConnectOptions = Pick<PresenceSettings, "connect" | "WebSocket">;

let hasWarned = false;

/** A script that forgot to pass a WebSocket looks like a page that is rendered on a server: its author is told once. */
function warnOnce(): void {
  if (hasWarned) return;
  hasWarned = true;
  console.warn(
    "copresence: there is no page here, so this client does not connect. On a server that renders pages this is right " +
      '({ connect: false } says so); a script passes a WebSocket, such as that of "ws"',
  );
}
