/** The relay, for servers of your own. */
export type { JsonObject, PresenceEvent, Session, Status, Unsubscribe, User, UserInfo } from "../presence/index.ts";
export { Close, LOBBY, PATCH_SUBPROTOCOL as SUBPROTOCOL } from "../wire/index.ts";
export type { AccessRequest, Authenticate, Grant, Grants, Identity, Refusal, RefusalCode } from "./access/identity.ts";
export { type JwtOptions, jwtAuthenticator } from "./access/tokens/jwt.ts";
export type { KeySource, PublicKeySource } from "./access/tokens/keys.ts";
export type { Log } from "./ports/log.ts";
export type { RelayMetrics } from "./server/metrics.ts";
export {
  DamagedDocumentError,
  type DocumentStore,
  type Position,
  type StoredDocument,
} from "./ports/stores/document-store.ts";
export type { PeopleCheckpoint, PeopleStore, PersonRecord, StoredPerson } from "./ports/stores/people-store.ts";
export type { KeptMessage, Outbox, OutboxChange } from "./ports/stores/outbox.ts";
export type { Claim, SharedOutbox, ToldReport } from "./ports/stores/shared-outbox.ts";
export { openOutbox } from "./webhooks/outbox/open.ts";
export { openSharedOutbox } from "./webhooks/shared/open.ts";
export type { WebhookType } from "./webhooks/message.ts";
export { MemoryDocumentStore } from "./store/memory.ts";
export { openStore } from "./store/open.ts";
export { openBus } from "./cluster/bus/open-bus.ts";
export type { DisconnectOptions, Disconnected } from "./wiring/disconnect.ts";
export type { RelayEvents } from "./wiring/events.ts";
export type { RoomInfo } from "./wiring/types.ts";
export type { RelayConfig, RelayOptions } from "./options.ts";
export { createRelay } from "./relay.ts";
export type { Relay, RelayAddress } from "./types.ts";
export type { RelaySettings } from "./ports/settings.ts";
