/** A cluster whose parts can be made to fail, and the crowd that is connected to it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { BALANCERS, findBalancer } from "../ensure.js";
import { startBalancer } from "./balancer.js";
import { freePort, isReady, startRedis, startRelay, until } from "./processes.js";
import { startLink } from "./proxy.js";

/** @typedef {Awaited<ReturnType<typeof startCluster>>} Cluster */
/** @typedef {{ leaves: number, joins: number, unexplained: number, ofStock: number, who: string[], reconnecting: Times, stale: Times, opened: number[], awayMs: number, heldMs: number }} Report */
/** @typedef {{ count: number, lastMs: number }} Times */

/**
 * Three relays on a Redis behind a balancer, each on links of its own to Redis and from the balancer.
 *
 * @param {{ own: number, stock: number, rooms: number, drainMs?: number }} size of the crowd
 * @param {import("./namespaces.js").Namespaces | null} [namespaces] in which the relays run; the cluster takes them away as it
 *   stops. Default: all runs on loopback, where a proxy makes links fail
 */
export async function startCluster({ drainMs = 5_000, ...size }, namespaces = null) {
  const balancerName = BALANCERS.find((name) => findBalancer(name) !== null);
  if (balancerName === undefined)
    throw new Error("there is neither HAProxy nor nginx: node scripts/ensure.js haproxy nginx");
  const redisPort = await freePort();
  const places = [0, 1, 2];
  const busHost = namespaces?.busAddress ?? "127.0.0.1";
  const hosts = places.map((place) => namespaces?.hosts[place]?.front.address ?? "127.0.0.1");
  const toRedis = await Promise.all(
    places.map(async (place) => {
      const link = await startLink(await freePort(), redisPort, busHost);
      const cable = namespaces?.hosts[place]?.bus ?? link;
      return { ...link, lose: () => cable.lose(), restore: () => cable.restore() };
    }),
  );
  const ports = await Promise.all(places.map(() => freePort()));
  const toRelays = await Promise.all(
    ports.map(async (port, place) => {
      const host = namespaces?.hosts[place];
      if (host === undefined) return startLink(await freePort(), port);
      const cable = host.front;
      return {
        port: `${cable.address}:${port}`,
        lose: () => cable.lose(),
        restore: () => cable.restore(),
        stop: async () => {},
      };
    }),
  );
  const balancerPort = await freePort();

  /** @param {number} place */
  const relayAt = (place) =>
    startRelay(
      ports[place] ?? 0,
      [
        "--bus",
        `redis://${busHost}:${toRedis[place]?.port}`,
        "--trust-proxy",
        "--drain-time",
        `${drainMs}`,
        "--log-level",
        "error",
        // nobody but this machine is on these networks
        ...(namespaces === null ? [] : ["--open"]),
      ],
      hosts[place],
      namespaces?.hosts[place]?.name,
    );
  const first = await startRedis(redisPort);
  const relays = await Promise.all(places.map(relayAt));
  const areReady = async () =>
    (await Promise.all(ports.map((port, place) => isReady(port, hosts[place])))).every(Boolean);
  await until("the relays are ready", areReady);
  const balancer = await startBalancer(
    balancerName,
    balancerPort,
    toRelays.map(({ port }) => port),
  );
  const crowd = fork(fileURLToPath(new URL("crowd.js", import.meta.url)));
  const ask = asker(crowd);
  await ask("start", { ...size, url: `ws://127.0.0.1:${balancerPort}` });

  const cluster = {
    redis: first,
    toRedis,
    toRelays,
    ports,
    /** @param {number} place */
    async killRelay(place) {
      await relays[place]?.stop();
    },
    /** Tells a relay to stop, and waits until it has. @param {number} place */
    async stopRelay(place) {
      const relay = relays[place];
      relay?.child.kill("SIGTERM");
      await until("the relay has stopped", () => relay?.isRunning() === false, 30_000);
    },
    /** @param {number} place */
    async startRelay(place) {
      relays[place] = await relayAt(place);
      await until("the relay is ready", () => isReady(ports[place] ?? 0, hosts[place]));
      // as long as the balancer takes to believe it
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    },
    async restartRedis() {
      cluster.redis = await startRedis(cluster.redis.port);
    },
    /** @returns {Promise<{ rosters: number, lobbies: number, stocks: number }>} who does not see all */
    missing: () => ask("missing"),
    async isWhole() {
      const { rosters, lobbies, stocks } = await cluster.missing();
      return rosters + lobbies + stocks === 0;
    },
    mark: () => ask("mark"),
    /** @returns {Promise<Report>} */
    report: () => ask("report"),
    /** @param {boolean} isOn */
    type: (isOn) => ask("type", isOn),
    /** @returns {Promise<{ typed: number, lost: number }>} */
    edits: () => ask("edits"),
    /** @param {number} times @returns {Promise<{ sees: number, seen: number }[]>} */
    move: (times) =>
      ask("move", {
        urls: ports.slice(0, 2).map((port, place) => `ws://${hosts[place]}:${port}`),
        times,
        room: "moved",
        others: 4,
      }),
    async stop() {
      crowd.kill("SIGKILL");
      if (crowd.exitCode === null && crowd.signalCode === null) await once(crowd, "exit");
      for (const running of [balancer, ...relays, cluster.redis, ...toRedis, ...toRelays]) await running.stop();
      namespaces?.stop();
    },
  };
  return cluster;
}

/**
 * Asks a child process, which answers each question by its number.
 *
 * @param {import("node:child_process").ChildProcess} child
 * @returns {(order: string, given?: unknown) => Promise<any>}
 */
function asker(child) {
  /** @type {Map<number, { resolve: (answer: unknown) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();
  let last = 0;
  child.on("message", (/** @type {{ id: number, answer?: unknown, error?: string }} */ { id, answer, error }) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(answer);
    else asked?.reject(new Error(error));
  });
  child.once("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the clients' process has ended"));
    waiting.clear();
  });
  return (order, given) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, { resolve, reject });
      child.send({ id, order, given });
    });
}
