/** Presence for Yjs apps: who is here, where, on what device, doing what. */
export type {
  ActivityPolicy,
  AutoStatus,
  Device,
  JoinEvent,
  Json,
  JsonMeta,
  JsonObject,
  JsonOf,
  LeaveEvent,
  ManualStatus,
  PresenceEvent,
  Session,
  Status,
  Unsubscribe,
  UpdateEvent,
  User,
  UserInfo,
} from "../presence/index.ts";
export { colorOf } from "../presence/index.ts";
export type { StatusProvider } from "./rosters/binding.ts";
export type { Lobby, LobbySnapshot } from "./rosters/lobby.ts";
export type { RoomSummary } from "./rosters/rooms.ts";
export type { Watch } from "./rosters/watch.ts";
export type { Presence, PresenceOptions, PresenceSettings } from "./options.ts";
export type { Page, PageSignal } from "./browser/page.ts";
export { createPresence } from "./presence.ts";
export type { JoinArguments, Room, RoomEvents, RoomOptions, RoomProvider } from "./room.ts";
export type { MessageAuthor, RoomMessage } from "../wire/index.ts";
export type { Refusal, Roster, RosterEvents, RosterSnapshot, RosterStatus, StatusCounts } from "./rosters/roster.ts";
export type { OwnStatus } from "./session.ts";
export type { Connection, ConnectionState } from "./link/link.ts";
export type { SocketTiming, WebSocketConstructor, WebSocketLike } from "./link/socket.ts";
export type { PresenceStorage } from "./browser/storage.ts";
export type { TokenSource } from "./link/token.ts";
export { type TrackOptions, type TrackedRoster, trackAwareness } from "./rosters/track.ts";
