/** Presence for a server of @hocuspocus/server 4: an extension, with the hub inside. */
export { presenceExtension } from "./extension.ts";
export type { HocuspocusOptions, HocuspocusPresence } from "./options.ts";
export type {
  EventSink,
  Grant,
  Grants,
  HubMetrics,
  Identity,
  PresenceHub,
  RelayEvents,
  RoomInfo,
} from "../hub/index.ts";
