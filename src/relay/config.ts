/**
 * What `createRelay` was given, checked as a whole: options that belong together, the parts that an application hands in, and what
 * the relay makes of them.
 */
import type { Authenticate } from "./access/identity.ts";
import { type JwtOptions, type ReadToken, authenticateBy, tokenReader } from "./access/tokens/jwt.ts";
import {
  type ApiOptions,
  type OptionName,
  type RelayConfig,
  type RelayOptions,
  type TokenOptions,
  type WebhookOptions,
  resolveOptions,
} from "./options.ts";
import { isRecord } from "../presence/index.ts";
import { checkParts } from "./parts.ts";
import type { Bus } from "./ports/bus.ts";
import { type Log, noLog } from "./ports/log.ts";
import type { RelaySettings } from "./ports/settings.ts";
import type { DocumentStore } from "./ports/stores/document-store.ts";
import type { Outbox } from "./ports/stores/outbox.ts";
import type { SharedOutbox } from "./ports/stores/shared-outbox.ts";
import { type ErrorListener, consoleReporter } from "./util/report.ts";
import { MemoryOutbox } from "./webhooks/outbox/memory.ts";
import type { WebhookSettings } from "./webhooks/webhooks.ts";

export interface ResolvedBus {
  readonly bus: Bus;
  readonly prefix: string;
  readonly secret: string | null;
}

/** Throws a `RangeError` for a bus beside a store that other relays cannot use. [BUS-25] */
function resolveBus({ bus = null, busPrefix = "cp1:", busSecret = null, store }: RelayConfig): ResolvedBus | null {
  if (bus === null) return null;
  if (store?.isShared === false) {
    throw new RangeError(
      "relays on a bus need a store that all of them can use: this one keeps documents for one process",
    );
  }
  if (busSecret === "") throw new RangeError("busSecret must not be empty");
  return { bus, prefix: busPrefix, secret: busSecret };
}

/** Throws a `RangeError` where documents are to be deleted that nobody uses, and the store cannot tell which. [STORE-43] */
function checkTtl({ documentTtl = 0, store }: RelayConfig, nameOf: NameOf): void {
  const lacks = (["touch", "unused", "delete"] as const).find((name) => store?.[name] === undefined);
  if (documentTtl === 0 || !store || lacks === undefined) return;
  throw new RangeError(
    `${nameOf("documentTtl")} needs a store that knows which documents nobody uses: this one has no ${lacks}()`,
  );
}

export interface ResolvedConfig {
  /** Without keys: these may be shown and logged. */
  readonly settings: RelaySettings;
  /** Null: nobody is asked. */
  readonly authenticate: Authenticate | null;
  readonly onError: ErrorListener;
  readonly log: Log;
  readonly store: DocumentStore | null;
  readonly bus: ResolvedBus | null;
  readonly api: {
    readonly keys: readonly string[];
    /** Null: there are no keys for tokens. */
    readonly readToken: ReadToken | null;
    readonly rate: number;
  };
  /** Null: there are none. */
  readonly webhooks: ResolvedWebhooks | null;
}

export interface ResolvedWebhooks {
  readonly settings: WebhookSettings;
  /** Of a relay that is alone. */
  readonly outbox: Outbox;
  /** Of relays on a bus; null: the relay is alone. */
  readonly shared: SharedOutbox | null;
}

type NameOf = (name: OptionName) => string;

/**
 * Throws a `RangeError` for an option out of bounds, a part that cannot be used, or options that do not go together.
 *
 * @param nameOf what an option is called in an error; default: its name
 */
export function resolveConfig(config: RelayConfig, nameOf: NameOf = (name) => name): ResolvedConfig {
  if (!isRecord(config)) throw new TypeError("createRelay takes its options as an object, or nothing");
  checkNoAddress(config);
  checkKeysAreGiven(config);
  checkParts({ ...config });
  checkTtl(config, nameOf);
  const {
    authenticate = null,
    onError = consoleReporter(),
    store = null,
    log = noLog,
    outbox = new MemoryOutbox(),
    sharedOutbox = null,
    lobby,
    bus: _bus,
    busPrefix: _prefix,
    busSecret: _secret,
    ...given
  } = config;
  const bus = resolveBus(config);
  const options = resolveOptions({ ...(lobby?.rooms !== undefined && { lobbyRooms: lobby.rooms }), ...given }, PARTS);
  const settings = settingsIn(options);
  const webhooks = resolveWebhooks(options, { outbox, sharedOutbox: bus === null ? null : sharedOutbox }, bus, nameOf);
  const readToken = resolveTokens(options, settings.clockTolerance, nameOf);
  if (readToken !== null && authenticate !== null) {
    throw new RangeError("authenticate stands instead of a key: only one can be given");
  }
  return {
    settings,
    authenticate: readToken === null ? authenticate : authenticateBy(readToken),
    onError,
    log,
    store,
    bus,
    api: { keys: options.apiKey, readToken, rate: options.apiRate },
    webhooks,
  };
}

/** What is no setting of the relay: keys, addresses that may hold secrets, and what goes with these. */
const NO_SETTINGS: Readonly<Record<keyof (TokenOptions & ApiOptions & WebhookOptions), true>> = {
  jwtSecret: true,
  jwtPublicKey: true,
  jwksUrl: true,
  jwtAudience: true,
  jwtIssuer: true,
  apiKey: true,
  apiRate: true,
  webhook: true,
  webhookSecret: true,
  webhookEvents: true,
  webhookTimeout: true,
  webhookReturn: true,
  maxWebhookBacklog: true,
};

function settingsIn(options: RelayOptions): RelaySettings {
  const settings = Object.entries(options).filter(([name]) => !Object.hasOwn(NO_SETTINGS, name));
  return Object.fromEntries(settings) as unknown as RelaySettings;
}

/** What `createRelay` takes and no flag can say. */
const PARTS: readonly string[] = [
  "authenticate",
  "store",
  "bus",
  "busPrefix",
  "busSecret",
  "lobby",
  "onError",
  "log",
  "outbox",
  "sharedOutbox",
];

/** Throws a `RangeError` for a port or a host: the command has flags for them, and a relay in a program is told when it listens. */
function checkNoAddress(config: RelayConfig): void {
  for (const name of ["port", "host"]) {
    if (Object.hasOwn(config, name)) {
      throw new RangeError(`there is no option "${name}": give it to relay.listen(port, host), or to your own server`);
    }
  }
}

/** Throws a `RangeError` for a key that is given and is none: a variable that is not set must not open the relay to everybody. */
function checkKeysAreGiven(config: RelayConfig): void {
  for (const name of ["jwtSecret", "jwtPublicKey", "jwksUrl", "authenticate"] as const) {
    if (Object.hasOwn(config, name) && config[name] === undefined) {
      throw new RangeError(
        `${name} is given, and undefined: set what it is read from, or leave it out if anybody may come as anybody`,
      );
    }
    if (Array.isArray(config[name]) && config[name].length === 0) {
      throw new RangeError(`${name} is given, and empty: leave it out, if anybody may come as anybody`);
    }
  }
}

/** Throws a `RangeError` for webhooks that nobody could verify, or that each relay on a bus would send. Null: there are no receivers. */
function resolveWebhooks(
  options: WebhookOptions,
  { outbox, sharedOutbox }: { readonly outbox: Outbox; readonly sharedOutbox: SharedOutbox | null },
  bus: ResolvedBus | null,
  nameOf: NameOf,
): ResolvedWebhooks | null {
  const { webhook, webhookSecret, webhookEvents, webhookTimeout, webhookReturn, maxWebhookBacklog } = options;
  if (webhook.length === 0) return null;
  // [HOOK-2] a message that nobody can verify is not sent
  if (webhookSecret.length === 0) {
    throw new RangeError(
      `${nameOf("webhook")} needs ${nameOf("webhookSecret")}: webhooks are signed with it, for example whsec_ and what "openssl rand -base64 32" prints`,
    );
  }
  // [HOOK-20] else each relay would send its own, and receivers would have them several times
  if (bus !== null && sharedOutbox === null) {
    throw new RangeError(
      `${nameOf("webhook")} on a bus needs a sharedOutbox: relays on a bus send webhooks together, see openSharedOutbox`,
    );
  }
  const settings: WebhookSettings = {
    urls: webhook,
    secrets: webhookSecret,
    types: webhookEvents,
    timeoutMs: webhookTimeout,
    maxWaiting: maxWebhookBacklog,
    returnMs: webhookReturn,
  };
  return { settings, outbox, shared: sharedOutbox };
}

/** What reads tokens; null: no key is given. Throws a `RangeError` for a key that is none, or for what needs a key. */
function resolveTokens(options: TokenOptions, clockTolerance: number, nameOf: NameOf): ReadToken | null {
  const { jwtSecret, jwtPublicKey, jwksUrl, jwtAudience, jwtIssuer } = options;
  const keyNames = { secret: nameOf("jwtSecret"), publicKey: nameOf("jwtPublicKey"), jwksUrl: nameOf("jwksUrl") };
  if (jwtSecret.length === 0 && jwtPublicKey.length === 0 && jwksUrl === null) {
    // an operator who asks for an audience believes that tokens are looked at
    const lost = (["jwtAudience", "jwtIssuer"] as const).find((name) => options[name] !== null);
    if (lost !== undefined) throw new RangeError(`${nameOf(lost)} needs one of ${Object.values(keyNames).join(", ")}`);
    return null;
  }
  const jwt: JwtOptions = {
    ...(jwtSecret.length > 0 && { secret: jwtSecret }),
    ...(jwtPublicKey.length > 0 && { publicKey: jwtPublicKey }),
    ...(jwksUrl !== null && { jwksUrl }),
    ...(jwtAudience !== null && { audience: jwtAudience }),
    ...(jwtIssuer !== null && { issuer: jwtIssuer }),
    clockTolerance,
  };
  return tokenReader(jwt, keyNames);
}
