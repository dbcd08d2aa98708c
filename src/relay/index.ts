/** The relay, for servers of your own. */
export type { JsonObject, PresenceEvent, Session, Status, Unsubscribe, User, UserInfo } from "../presence/index.ts";
export { Close, LOBBY, SUBPROTOCOL } from "../wire/index.ts";
export type { RelayOptions } from "./options.ts";
export { type Relay, type RelayAddress, type RelayEvents, type RoomInfo, createRelay } from "./relay.ts";
