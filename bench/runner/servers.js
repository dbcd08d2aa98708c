// @ts-check
/** The servers that are compared, and how each is started: as its users would, on one port of loopback. */
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AUDIENCE, ORIGIN, SECRET } from "../secret.js";
import { SERVER_CORE, pinned } from "./pinning.js";
import { start, stop } from "./processes.js";

/** @param {string} path  from bench/ */
const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const START_MS = 10_000;
const RETRY_MS = 20;

/**
 * @typedef {object} ServerKind
 * @property {string} name
 * @property {string} client  The kind of client that dials it.
 * @property {(port: number) => { args: string[], env?: Record<string, string> }} command  For Node.
 */

/** @typedef {{ kind: ServerKind, port: number, pid: number, child: import("node:child_process").ChildProcess, stop: () => Promise<void> }} RunningServer */

/** @param {readonly string[]} [flags] @returns {ServerKind} */
export const relay = (flags = []) => ({
  name: "copresence",
  client: "stock",
  command: (port) => ({ args: [here("../dist/cli.js"), "--host", "127.0.0.1", "--port", String(port), ...flags] }),
});

/** The relay, with tabs of our client. */
export const relayOwn = { ...relay(), name: "copresence, own clients", client: "tab" };

/** The relay, open, with stock clients that say who they are. */
export const relayNamed = { ...relay(), name: "copresence, open", client: "named" };

/** The relay with a key, and the same clients with tokens. */
export const relaySigned = {
  ...relay(["--jwt-secret", SECRET]),
  name: "copresence, with tokens",
  client: "signed",
};

/** The same, for pages of one site and tokens of one service. */
export const relayGuarded = {
  ...relaySigned,
  command: relay(["--jwt-secret", SECRET, "--jwt-audience", AUDIENCE, "--origins", ORIGIN]).command,
};

/** @type {ServerKind} */
export const yWebsocket = {
  name: "@y/websocket-server",
  client: "stock",
  command: (port) => ({
    args: [here("node_modules/@y/websocket-server/src/server.js")],
    env: { HOST: "127.0.0.1", PORT: String(port) },
  }),
};

/** @type {ServerKind} */
export const hocuspocus = {
  name: "@hocuspocus/server",
  client: "hocuspocus",
  command: (port) => ({ args: [here("servers/hocuspocus.js")], env: { PORT: String(port) } }),
};

/** The same with our extension. @type {ServerKind} */
export const hocuspocusPresence = {
  name: "@hocuspocus/server with copresence",
  client: "hocuspocus",
  command: (port) => ({ args: [here("servers/hocuspocus-presence.js")], env: { PORT: String(port) } }),
};

/**
 * The relay as one of several, which hear each other through Redis.
 *
 * @param {number} redisPort
 * @returns {ServerKind}
 */
export const relayOnRedis = (redisPort) => relay(["--bus", `redis://127.0.0.1:${redisPort}`]);

/**
 * A Hocuspocus server as one of several, with its own extension for Redis.
 *
 * @param {number} redisPort
 * @returns {ServerKind}
 */
export const hocuspocusOnRedis = (redisPort) => ({
  ...hocuspocus,
  command: (port) => ({
    args: [here("servers/hocuspocus-redis.js")],
    env: { PORT: String(port), REDIS_PORT: String(redisPort) },
  }),
});

/** The relay and its peers, with the clients that all of them have. */
export const peers = [relay(), yWebsocket, hocuspocus];

/**
 * @param {ServerKind} kind
 * @param {{ readonly nodeArgs?: readonly string[], readonly ipc?: boolean, readonly port?: number, readonly core?: number | string }} [options]
 *   `port`: default a free one. `core`: default the one for servers.
 * @returns {Promise<RunningServer>}
 */
export async function startServer(kind, { nodeArgs = [], ipc = false, port: given, core = SERVER_CORE } = {}) {
  const port = given ?? (await freePort());
  const { args, env } = kind.command(port);
  const child = start(pinned(core, [process.execPath, ...nodeArgs, ...args]), { ipc, ...(env && { env }) });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${kind.name} does not start`);
  await accepts(kind.name, port);
  return { kind, port, pid, child, stop: () => stop(child) };
}

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new TypeError("unreachable");
  return address.port;
}

/**
 * Waits until somebody listens at a port of loopback.
 *
 * @param {string} name
 * @param {number} port
 */
export async function accepts(name, port) {
  const until = Date.now() + START_MS;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      socket.destroy();
      return;
    } catch {
      if (Date.now() > until) throw new Error(`${name} does not listen after ${START_MS} ms`);
      await sleep(RETRY_MS);
    }
  }
}
