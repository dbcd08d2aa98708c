/** What an application passes to `createPresence`, and what it gets. */
import type {
  ActivityPolicy,
  Device,
  JsonObject,
  ManualStatus,
  MetaOption,
  Unsubscribe,
  UserInfo,
} from "../presence/index.ts";
import type { Lobby } from "./rosters/lobby.ts";
import type { Watch } from "./rosters/watch.ts";
import type { Page } from "./browser/page.ts";
import type { JoinArguments, Room } from "./room.ts";
import type { Refusal } from "./rosters/roster.ts";
import type { OwnStatus } from "./session.ts";
import type { SocketTiming, WebSocketConstructor } from "./link/socket.ts";
import type { Connection } from "./link/link.ts";
import type { PresenceStorage } from "./browser/storage.ts";
import type { TokenSource } from "./link/token.ts";

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
   * How much to read of the lobby. Default `true`: everything. With `"counts"` `presence.lobby` knows how many there are
   * (`count`, `counts`, `rooms`, `countIn`, `roomCount`: as others see it), and with `false` not even that: of people only
   * oneself and those who are watched, which costs the same however many there are. This session is seen there all the same.
   */
  readonly observeLobby?: boolean | "counts";
  /** More URL parameters for the connection. */
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
  /** The one connection to the relay, over which the lobby and all rooms go. */
  readonly connection: Connection;
  /**
   * Joins a room; joined twice, it is the same room, and takes two `leave`s.
   *
   * @throws RangeError for a name that no URL carries (empty, over 512 characters, with a segment `.` or `..`, …) or that
   * begins with `@`; TypeError for a document of another copy of Yjs; Error when the room is joined with another document
   * already, or the client is destroyed
   */
  join(room: string, ...options: JoinArguments<RoomMeta>): Room<RoomMeta>;
  /**
   * Tells of these people, wherever they are, also where the lobby is not read: a contact list. Each call is a watch of its own.
   *
   * @throws RangeError for more than 1,000 people over all watches; TypeError for an id that is no text of 1 to 256 characters
   */
  watch(userIds: Iterable<string>): Watch<Meta>;
  /**
   * Chooses a status for all sessions of the user; `null` goes back to `online` and `away` by activity.
   *
   * @throws RangeError for any other value, such as `online` [STATUS-8]
   */
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
