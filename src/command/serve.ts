/** What the command does unless it is told otherwise: it serves. */
import { readFileSync } from "node:fs";
import { isLoopback } from "../relay/access/address.ts";
import { openBus } from "../relay/cluster/bus/open-bus.ts";
import type { Relay } from "../relay/index.ts";
import type { Log } from "../relay/ports/log.ts";
import { openStore } from "../relay/store/open.ts";
import { withCauses } from "../relay/util/reason.ts";
import { type ErrorListener, oncePerSecond } from "../relay/util/report.ts";
import { openOutbox } from "../relay/webhooks/outbox/open.ts";
import { openSharedOutbox } from "../relay/webhooks/shared/open.ts";
import { readFlags } from "./settings/flags.ts";
import { helpText } from "./settings/help.ts";
import { readSettings } from "./settings/settings.ts";
import { UsageError } from "./usage.ts";

/** Refuses to listen to the network where nobody is asked who connects, unless that is meant. [AUTH-8] */
function checkOpen(relay: Relay, host: string): void {
  if (!relay.open || relay.options.open || isLoopback(host)) return;
  throw new UsageError(
    `at ${host} anybody could come as anybody: set --jwt-secret, --jwt-public-key or --jwks-url, ` +
      "or --open if that is meant",
  );
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return (manifest as { readonly version: string }).version;
}

/** What cannot be listened on, with what to do about it. */
function explained(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: "choose another port with --port or PORT; 0 takes any free one",
    EACCES: "choose another port with --port or PORT: this one needs privileges",
    ENOTFOUND: "choose an address of this machine with --host or HOST",
    EADDRNOTAVAIL: "choose an address of this machine with --host or HOST",
  };
  const hint = code === undefined ? undefined : advice[code];
  return hint === undefined ? error : new Error(`${message}; ${hint}`, { cause: error });
}

/** Reports what went wrong, such as a key set that cannot be had, in one line. */
const reporterTo = (log: Log): ErrorListener =>
  oncePerSecond((error, where) => {
    const what = where === "authenticate" ? "tokens cannot be verified" : `${where} failed`;
    log.error({}, `${what}: ${withCauses(error)}`);
  });

/** How long what the relay leaves behind may take to end by itself, ms. */
const EXIT_MS = 1_000;

/** What hangs, such as the connection to a database that does not answer, does not keep the process. [STORE-48] */
function exitSoon(): void {
  setTimeout(() => process.exit(), EXIT_MS).unref();
}

/**
 * Listens, and says where, until it is told to stop. [RUN-1]
 *
 * @param onRelay told how the relay is stopped, once there is one
 */
export async function serve(args: readonly string[], onRelay: (stop: () => void) => void): Promise<void> {
  const flags = readFlags(args);
  if (flags.help) return void process.stdout.write(helpText());
  if (flags.version) return void process.stdout.write(`${version()}\n`);
  const settings = readSettings(flags, process.env);
  const { host, port, relay: options, labelOf } = settings;
  // what is wrong with flags is said before all that a relay needs is loaded
  const [{ createLog }, { createRelay }] = await Promise.all([import("./log.ts"), import("../relay/index.ts")]);
  const log = createLog(settings.logFormat, settings.logLevel);
  const label = labelOf("store");
  const store = await openStore(settings.store, { sync: settings.storeSync, label });
  const isAlone = settings.bus === null;
  const hasWebhooks = options.webhook !== undefined;
  const outbox = hasWebhooks && isAlone ? await openOutbox(settings.store, { label }) : undefined;
  if (outbox?.isDurable === false) {
    const lost = "those that wait are lost when the process dies, and so is who was said to be online";
    log.warn({}, `webhooks are kept in memory: ${lost}; --store file:FOLDER keeps them`);
  }
  const onError = reporterTo(log);
  const onBusError = (error: unknown): void => onError(error, "the bus");
  const bus = settings.bus === null ? null : await openBus(settings.bus, onBusError, labelOf("bus"));
  const sharedOutbox =
    hasWebhooks && settings.bus !== null
      ? await openSharedOutbox(settings.bus, settings.busPrefix ?? undefined, labelOf("bus"))
      : null;
  const relay = createRelay({
    ...options,
    ...(outbox !== undefined && { outbox }),
    sharedOutbox,
    store,
    bus,
    ...(settings.busPrefix !== null && { busPrefix: settings.busPrefix }),
    ...(settings.busSecret !== null && { busSecret: settings.busSecret }),
    onError,
    log,
  });
  let stopped = false;
  const stop = (): void => {
    // [DRAIN-4] who says so twice does not want to wait
    if (stopped) return void relay.close();
    stopped = true;
    void relay
      .drain()
      .then(() => relay.close())
      .then(exitSoon);
  };
  onRelay(stop);
  try {
    checkOpen(relay, host);
    const { url } = await relay.listen(port, host);
    process.stdout.write(`copresence: listening on ${url}\n`);
    log.info({ url, shard: relay.shard, version: version() }, "listening");
    const keys = "--jwt-secret, --jwt-public-key or --jwks-url";
    if (relay.open) log.warn({}, `open to anyone who can reach it, as anyone: set ${keys}`);
  } catch (error) {
    await relay.close();
    // stopped before it could listen is stopped all the same
    if (!stopped) throw explained(error);
  }
}
