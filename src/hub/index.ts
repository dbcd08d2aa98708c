/** The hub without a server, for WebSocket servers of your own. */
export type { JsonObject, PresenceEvent, Session, Status, Unsubscribe, User, UserInfo } from "../presence/index.ts";
export { Close, LOBBY, LINK_SUBPROTOCOL as SUBPROTOCOL } from "../wire/index.ts";
export type { Echoing } from "../awareness/index.ts";
export type { Grant, Grants, Identity } from "../relay/access/identity.ts";
export type { RelayEvents } from "../relay/wiring/events.ts";
export type { HubMetrics, RoomInfo } from "../relay/wiring/types.ts";
export type { DocumentStore, Position, StoredDocument } from "../relay/ports/stores/document-store.ts";
export type { PeopleCheckpoint, PeopleStore, PersonRecord, StoredPerson } from "../relay/ports/stores/people-store.ts";
export type { Bus } from "../relay/ports/bus.ts";
export type { EventSink, IdentifiedEvent } from "../relay/ports/event-sink.ts";
export { MemoryBus } from "../relay/cluster/bus/memory-bus.ts";
export { openBus } from "../relay/cluster/bus/open-bus.ts";
export { MemoryEventSink } from "../relay/events/memory.ts";
export { MemoryDocumentStore } from "../relay/store/memory.ts";
export type { Addressing } from "../relay/transport/addressing.ts";
export { createHub } from "./hub.ts";
export type { HubSocket } from "./socket.ts";
export type { HubAdmission, HubChannel, HubDoorkeeper, HubLink, HubOptions, HubRefusal, PresenceHub } from "./types.ts";
