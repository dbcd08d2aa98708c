/** What each setting is about: the headings of `copresence --help`. [RUN-9] */
import type { OptionName } from "../../relay/options.ts";
import type { CommandOptions } from "./command-options.ts";

/** In the order in which they are read. */
export const HEADINGS = [
  "Listen",
  "Access",
  "Documents",
  "Presence",
  "Limits",
  "Many relays",
  "Backends",
  "Operate",
] as const;

export type Heading = (typeof HEADINGS)[number];

/** A setting that names a file with a secret stands below that secret. */
export const headingOf: { readonly [Name in OptionName | keyof CommandOptions]: Heading } = {
  host: "Listen",
  port: "Listen",
  handshakeTimeout: "Listen",
  trustProxy: "Listen",

  origins: "Access",
  open: "Access",
  jwtSecret: "Access",
  jwtPublicKey: "Access",
  jwksUrl: "Access",
  jwtAudience: "Access",
  jwtIssuer: "Access",
  clockTolerance: "Access",

  store: "Documents",
  storeSync: "Documents",
  maxDocuments: "Documents",
  maxDocument: "Documents",
  maxDocumentStructs: "Documents",
  maxUpdateStructs: "Documents",
  maxSubdocuments: "Documents",
  maxPendingStructs: "Documents",
  documentTtl: "Documents",
  documentGc: "Documents",

  pingInterval: "Presence",
  pingTimeout: "Presence",
  leaveGrace: "Presence",
  tick: "Presence",
  lobbyTick: "Presence",
  recentTtl: "Presence",
  recentMax: "Presence",
  maxCursors: "Presence",
  lobbyRooms: "Presence",

  maxMessage: "Limits",
  maxState: "Limits",
  maxStates: "Limits",
  maxLag: "Limits",
  maxBuffered: "Limits",
  maxMeta: "Limits",
  messageRate: "Limits",
  byteRate: "Limits",
  timeRate: "Limits",
  maxUnsentTotal: "Limits",
  maxStatesTotal: "Limits",
  maxChannels: "Limits",
  connectRate: "Limits",
  maxAddressConnections: "Limits",
  maxAddressRooms: "Limits",
  maxUserConnections: "Limits",
  maxUserRooms: "Limits",
  maxAddressUsers: "Limits",
  maxUserSessions: "Limits",
  maxLobbyUsers: "Limits",
  maxLobbies: "Limits",
  maxAddressLobbies: "Limits",
  maxUserLobbies: "Limits",

  bus: "Many relays",
  busPrefix: "Many relays",
  busSecret: "Many relays",
  drainTime: "Many relays",

  apiKey: "Backends",
  apiRate: "Backends",
  webhook: "Backends",
  webhookSecret: "Backends",
  webhookEvents: "Backends",
  webhookTimeout: "Backends",
  webhookReturn: "Backends",
  maxWebhookBacklog: "Backends",

  inspect: "Operate",
  logFormat: "Operate",
  logLevel: "Operate",
};
