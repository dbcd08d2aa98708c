/**
 * Everything that can be set on a relay, once: the API takes these names, the command line the same in kebab case
 * (`--ping-interval`), the environment in upper case (`COPRESENCE_PING_INTERVAL`).
 */

import { isRecord } from "../presence/index.ts";
import { type PublicKeySource, isKeyText } from "./access/tokens/keys.ts";
import type { Bus } from "./ports/bus.ts";
import type { DocumentStore } from "./ports/stores/document-store.ts";
import type { Log } from "./ports/log.ts";
import type { Outbox } from "./ports/stores/outbox.ts";
import type { SharedOutbox } from "./ports/stores/shared-outbox.ts";
import { readOrigin } from "./access/origin.ts";
import type { Authenticate } from "./access/identity.ts";
import type { RelaySettings } from "./ports/settings.ts";
import type { ErrorListener } from "./util/report.ts";
import { DEFAULT_TYPES, WEBHOOK_TYPES, type WebhookType } from "./webhooks/message.ts";
import { ANY_TEXT, type SpecOf, bytes, checkValue, count, flag, heapBytes, hops, list, ms, text } from "./option.ts";

/** As the header Authorization can carry it. */
const API_KEY = /^[!-~]{1,1024}$/;
const DAY = 24 * 60 * 60 * 1000;

/** By these the relay verifies tokens itself, see `jwtAuthenticator`. A token is good if any of the keys has signed it. */
export interface TokenOptions {
  /** The secrets that tokens are signed with (HS256), each at least 32 bytes. */
  readonly jwtSecret: readonly string[];
  /** The public keys of the issuer of tokens, PEM or JWK: RS256, ES256 or EdDSA. */
  readonly jwtPublicKey: readonly PublicKeySource[];
  /** Where the issuer of tokens publishes its public keys. */
  readonly jwksUrl: string | null;
  /** What the `aud` of tokens must be, or hold. Default: anything. */
  readonly jwtAudience: string | null;
  /** What the `iss` of tokens must be. Default: anything. */
  readonly jwtIssuer: string | null;
}

/** Who may call the HTTP API, and how much. */
export interface ApiOptions {
  /** Keys that grant everything; any of them will do. Default: none. */
  readonly apiKey: readonly string[];
  /** Requests a second of one key, five seconds' worth at once; 0: any. Default 2 000. */
  readonly apiRate: number;
}

/** Where webhooks go, and how: see `Webhooks`. Addresses may hold secrets: these are never shown. */
export interface WebhookOptions {
  /** Where webhooks go, `https://…`: each receiver gets all of them. Default: nowhere. */
  readonly webhook: readonly string[];
  /** What webhooks are signed with, `whsec_…`: by each of them, while receivers may know an older one. */
  readonly webhookSecret: readonly string[];
  /** What receivers are told of. Default: all but `user.updated`. */
  readonly webhookEvents: readonly WebhookType[];
  /** How long a receiver may take to answer, ms. Default 15 000. */
  readonly webhookTimeout: number;
  /**
   * How long those who were online when the relay's process ended have to come back after its start, besides `leaveGrace`,
   * until receivers are told that they are offline, ms. Default 10 000.
   */
  readonly webhookReturn: number;
  /** How much text may wait for all receivers together. Default: a sixteenth of the heap that Node allows. */
  readonly maxWebhookBacklog: number;
}

/** All that the command line can set, too. */
export interface RelayOptions extends RelaySettings, TokenOptions, ApiOptions, WebhookOptions {}

/** What `createRelay` takes. */
export type RelayConfig = Partial<
  Omit<RelayOptions, "trustProxy" | "jwtSecret" | "jwtPublicKey" | "apiKey" | "webhook" | "webhookSecret">
> & {
  readonly trustProxy?: number | boolean;
  /** One, or several: while tokens that an older one has signed are still about. Undefined, as of a variable that is not set, is refused. */
  readonly jwtSecret?: string | readonly string[] | null | undefined;
  /** One, or several. Undefined is refused. */
  readonly jwtPublicKey?: PublicKeySource | readonly PublicKeySource[] | null | undefined;
  /** One, or several. Undefined: there is no API. */
  readonly apiKey?: string | readonly string[] | null | undefined;
  /** One, or several. */
  readonly webhook?: string | readonly string[] | null;
  /** One, or several: while receivers may know an older one. */
  readonly webhookSecret?: string | readonly string[] | null | undefined;
  /**
   * Where webhooks wait, and what receivers were told is remembered. Default: in memory, and when the relay stops all are
   * said to be offline. The relay closes it with itself.
   */
  readonly outbox?: Outbox;
  /** On a bus: where all its relays share their webhooks, in the place of `outbox`. Needed there. See `openSharedOutbox`. */
  readonly sharedOutbox?: SharedOutbox | null;
  /** Where documents outlive the relay. Default: nowhere; they last as long as the process. The relay closes the store with itself. */
  readonly store?: DocumentStore | null;
  /** Joins this relay to all others on the same bus: one world. The relay closes the bus with itself. Default: it is alone. */
  readonly bus?: Bus | null;
  /** What the names of the bus's topics begin with: relays with another prefix are another world. Default `cp1:`. */
  readonly busPrefix?: string;
  /** Signs what relays say to each other (HMAC-SHA-256); the same for all of them. Default: nothing is signed. */
  readonly busSecret?: string | null;
  /** `rooms: false` is the option `lobbyRooms`. */
  readonly lobby?: { readonly rooms?: boolean };
  /** Says who connects. Instead of a key; without either, everybody is let in as the user that they claim to be. */
  readonly authenticate?: Authenticate;
  /**
   * Told what `authenticate` and listeners of `relay.on` throw, and what else went wrong without ending anything. `where`
   * says in what: `authenticate`, `a listener of "join"`, … What it throws itself is lost. Default: `console.error`, at
   * most once a second for each `where`.
   */
  readonly onError?: ErrorListener;
  /** Where is written who was refused and why, and when the relay stops: a logger of pino, or what is like it. Default: nowhere. */
  readonly log?: Log;
};

export type OptionName = keyof RelayOptions;

export const optionSpecs: { readonly [K in OptionName]: SpecOf<RelayOptions[K]> } = {
  pingInterval: ms(15_000, "how often each connection is asked for a sign of life"),
  pingTimeout: ms(10_000, "how long an answer may take before the connection is given up"),
  leaveGrace: ms(3_000, "how long a lost connection may take to come back before its user leaves", 0),
  drainTime: ms(5_000, "how long a relay on a bus takes to send its clients to others before it stops", 0),
  tick: ms(0, "shortest time between two flushes of a room, whatever they cost", 0),
  lobbyTick: ms(0, "shortest time between two writes to a lobby document, whatever they cost", 0),
  recentTtl: ms(DAY, "how long a lobby remembers somebody who left", 0),
  recentMax: count(1_000, 0, "how many of those who left a lobby remembers"),
  maxMessage: bytes(16 * 2 ** 20, "largest message"),
  maxState: bytes(64 * 2 ** 10, "largest awareness state"),
  maxStates: count(64, 1, "most awareness states that one connection may own"),
  maxCursors: count(0, 0, "how many cursors a room shows, of those who moved lately; 0: all"),
  maxLag: bytes(256 * 2 ** 10, "most unsent data before the awareness that a slow connection is sent waits"),
  maxBuffered: bytes(64 * 2 ** 20, "most unsent data before a slow connection is closed"),
  maxMeta: bytes(16 * 2 ** 10, "largest metadata of a session"),
  messageRate: count(1_000, 0, "messages a second that a connection may send; 0: any"),
  byteRate: bytes(16 * 2 ** 20, "bytes a second that a connection may send; 0: any", 0),
  timeRate: count(200, 0, "ms a second that a connection may keep the relay busy; 0: any"),
  maxUnsentTotal: heapBytes(1 / 16, "most unsent data of all connections; 0: any", 0),
  maxStatesTotal: heapBytes(1 / 16, "most that all awareness states may take; 0: any", 0),
  maxChannels: count(1_000, 0, "rooms that one connection of a client of ours is in; 0: any"),
  connectRate: count(2_000, 0, "connections a second from one address; 0: any"),
  maxAddressConnections: count(50_000, 0, "connections from one address; 0: any"),
  maxAddressRooms: count(50_000, 0, "rooms that connections from one address are in; 0: any"),
  maxUserConnections: count(1_000, 0, "connections of one authenticated user; 0: any"),
  maxUserRooms: count(1_000, 0, "rooms that one authenticated user is in; 0: any"),
  maxAddressUsers: count(50_000, 0, "client ids, and with them users, from one address; 0: any"),
  maxUserSessions: count(1_000, 0, "sessions of one user in one lobby; 0: any"),
  maxLobbyUsers: count(100_000, 0, "users in one lobby; 0: any"),
  maxLobbies: count(10_000, 0, "lobbies, also those in which only people who left are remembered; 0: any"),
  maxAddressLobbies: count(5_000, 0, "of these, those that came about through one address; 0: any"),
  maxUserLobbies: count(100, 0, "of these, those that came about through one authenticated user; 0: any"),
  handshakeTimeout: ms(10_000, "how long opening a connection may take, authentication included"),
  origins: list("ORIGIN", readOrigin, "origins whose pages may connect, by commas (default: all)"),
  trustProxy: hops("proxies before the relay whose X-Forwarded-For counts; alone: 1"),
  open: flag(false, "listen to the network though nobody is asked who they are"),
  inspect: flag(false, "serve the inspector, /inspect, to the network too; at localhost it always is"),
  lobbyRooms: flag(true, "lobbies tell in which rooms people are"),
  maxDocuments: heapBytes(1 / 4, "memory for documents, of left rooms too; past it new ones are refused"),
  maxDocument: bytes(0, "largest document: past it nobody can add to it; 0: any", 0),
  maxDocumentStructs: count(1_000_000, 1, "most insertions in a document"),
  maxUpdateStructs: count(250_000, 1, "most insertions in one update of a document"),
  maxSubdocuments: count(2_000, 0, "most subdocuments of a document"),
  maxPendingStructs: count(10_000, 0, "most insertions of a connection that wait for what they build on"),
  documentTtl: {
    ...ms(0, "how long a document may be unused before it is deleted; 0: for ever", 0),
    max: 100 * 365 * DAY,
  },
  documentGc: flag(true, "what was deleted from documents may be forgotten"),
  jwtSecret: list(
    "SECRET",
    readSecret,
    "secret of at least 32 bytes that tokens are signed with (HS256); several by commas",
    splitSecrets,
  ),
  jwtPublicKey: {
    ...list(
      "KEY",
      readPublicKey,
      "public key of the issuer of tokens (RS256, ES256, EdDSA): PEM, JWK, or a file with it; several by commas",
      splitKeys,
    ),
    itemSchema: { anyOf: [ANY_TEXT, { type: "object" }] },
  },
  jwksUrl: text("URL", "where the issuer of tokens publishes its public keys"),
  jwtAudience: text("TEXT", "what the aud of tokens must be"),
  jwtIssuer: text("TEXT", "what the iss of tokens must be"),
  apiKey: {
    ...list("KEY", readApiKey, "key to the HTTP API, long and random, since it grants everything; several by commas"),
    itemSchema: { type: "string", pattern: API_KEY.source },
  },
  apiRate: count(2_000, 0, "requests a second to the HTTP API by one key; 0: any"),
  webhook: list("URL", readReceiver, "where webhooks go; several by commas"),
  webhookSecret: list("SECRET", readSigningSecret, "what webhooks are signed with, whsec_…; several by commas"),
  webhookEvents: {
    ...list("TYPES", readWebhookType, "what webhooks tell of, by commas (default: all but user.updated)"),
    itemSchema: { enum: WEBHOOK_TYPES },
    default: DEFAULT_TYPES,
  },
  webhookTimeout: ms(15_000, "how long a receiver of webhooks may take to answer"),
  webhookReturn: ms(
    10_000,
    "how long those who were online when the relay stopped have to come back, besides the grace",
    0,
  ),
  maxWebhookBacklog: heapBytes(1 / 16, "webhooks that may wait for all receivers together"),
  clockTolerance: ms(5_000, "how far the clock of the issuer of tokens may be from the relay's", 0),
};

function readReceiver(given: unknown, label: string): string {
  const url = typeof given === "string" && URL.canParse(given) ? new URL(given) : null;
  // never what it is: it may hold a secret
  if (url === null || !/^https?:$/.test(url.protocol)) throw new RangeError(`${label} must be an address, https://…`);
  return url.href;
}

/** A secret of Standard Webhooks. */
function readSigningSecret(given: unknown, label: string): string {
  const encoded = typeof given === "string" ? /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(given)?.[1] : undefined;
  const length = encoded === undefined ? 0 : Buffer.from(encoded, "base64").length;
  if (length >= 24 && length <= 64) return String(given);
  throw new RangeError(`${label} must be whsec_ and 24 to 64 bytes in base64: echo whsec_$(openssl rand -base64 32)`);
}

function readWebhookType(given: unknown, label: string): WebhookType {
  const found = WEBHOOK_TYPES.find((type) => type === given);
  if (found === undefined) throw new RangeError(`${label} must be of ${WEBHOOK_TYPES.join(", ")}`);
  return found;
}

/** Whether a secret is long enough is seen where it is used; what it is stands in no error. [AUTH-7] */
function readSecret(given: unknown, label: string): string {
  if (typeof given !== "string") throw new RangeError(`${label} must be a text`);
  if (given === "") throw new RangeError(`${label} must not be empty`);
  return given;
}

/** As the header Authorization can carry it. What it is stands in no error. [API-19] */
function readApiKey(given: unknown, label: string): string {
  if (typeof given === "string" && API_KEY.test(given)) return given;
  // never what it is
  throw new RangeError(`${label} must be of ASCII letters, digits and signs, without spaces, at most 1,024 of them`);
}

function readPublicKey(given: unknown, label: string): PublicKeySource {
  return isRecord(given) ? given : readSecret(given, label);
}

/** A comma with a space behind it is part of a phrase, and of a secret. */
function splitSecrets(source: string): string[] {
  return source.split(/,(?!\s)/);
}

/** Of a text that is keys itself, nothing but a JSON parser knows which comma is which. */
function splitKeys(source: string): string[] {
  return isKeyText(source) ? [source] : source.split(",").map((path) => path.trim());
}

const names = Object.keys(optionSpecs) as OptionName[];

/**
 * Fills in defaults. Throws a `RangeError` that names a value out of bounds, or an option that there is none of.
 *
 * @param others what else the caller takes, for that error
 */
export function resolveOptions(
  given: Partial<Record<OptionName, unknown>>,
  others: readonly string[] = [],
): RelayOptions {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(optionSpecs, name))
      throw new RangeError(`there is no option "${name}"; there are ${[...others, ...names].join(", ")}`);
  }
  const entries = names.map((name) => {
    const spec = optionSpecs[name];
    return [name, checkValue(spec, name, given[name] ?? spec.default)];
  });
  return Object.fromEntries(entries) as RelayOptions;
}
