// @ts-check
/** A scenario on several servers that hear each other through Redis, or on one alone, all started for it. */
import { setTimeout as sleep } from "node:timers/promises";
import { generate } from "../../runner/generate.js";
import { BOTH_CORES } from "../../runner/pinning.js";
import { startRedis } from "../../runner/redis.js";
import { startServer } from "../../runner/servers.js";

/** @typedef {import("../../runner/generate.js").Scenarios} Scenarios */
/** @typedef {import("../../runner/servers.js").ServerKind} ServerKind */
/** @typedef {import("../../generator/cluster.js").Cluster} Cluster */

/**
 * @typedef {object} Software
 * @property {ServerKind} alone
 * @property {(redisPort: number) => ServerKind} onRedis
 */

/** Who is where. @typedef {{ readonly servers: number, readonly by: Cluster["by"] }} Layout */

/** What a scenario is told of the servers. */
/** @typedef {{ port: number, serverPid: number, kind: string, cluster: Cluster, busPort: number }} Place */

/**
 * @template {"room" | "lobby" | "healing"} Name
 * @param {Software} software
 * @param {Layout} layout
 * @param {Name} name
 * @param {Omit<Parameters<Scenarios[Name]>[0], keyof Place>} options
 * @param {{ readonly timeoutMs: number, readonly redisAwayMs?: number }} limits
 *   `redisAwayMs`: Redis is started again, empty, so long after it was killed.
 * @returns {Promise<Awaited<ReturnType<Scenarios[Name]>> & Layout & { server: string }>}
 */
export async function onCluster({ alone, onRedis }, { servers: count, by }, name, options, limits) {
  const { timeoutMs, redisAwayMs = null } = limits;
  const redis = count > 1 ? await startRedis() : null;
  const kind = redis === null ? alone : onRedis(redis.port);
  const undo = [async () => redis?.stop()];
  try {
    if (redis !== null && redisAwayMs !== null) undo.push(restartedOnce(redis, redisAwayMs));
    /** @type {import("../../runner/servers.js").RunningServer[]} */
    const servers = [];
    for (let i = 0; i < count; i++) {
      // several servers share what one has alone elsewhere: none is to wait for another
      const server = await startServer(kind, { core: BOTH_CORES });
      servers.push(server);
      undo.push(server.stop);
    }
    const { port = 0, pid: serverPid = 0 } = servers[0] ?? {};
    const cluster = { servers: servers.map((server) => ({ port: server.port, pid: server.pid })), by };
    const place = {
      port,
      serverPid,
      kind: kind.client,
      cluster: { ...cluster, busPid: redis?.pid ?? null },
      busPort: redis?.port ?? 0,
    };
    const all = /** @type {Parameters<Scenarios[Name]>[0]} */ (/** @type {unknown} */ ({ ...options, ...place }));
    const result = await generate(name, all, { timeoutMs });
    return Object.assign(result, { server: kind.name, servers: count, by });
  } finally {
    for (const each of undo.toReversed()) await each();
  }
}

/**
 * Starts Redis again when it was killed. Returns what stops the one that was started.
 *
 * @param {import("../../runner/redis.js").RunningRedis} redis
 * @param {number} awayMs
 */
function restartedOnce(redis, awayMs) {
  let isOver = false;
  /** @type {Promise<import("../../runner/redis.js").RunningRedis> | null} */
  let second = null;
  redis.child.once("exit", () => {
    if (!isOver) second = sleep(awayMs).then(() => startRedis(redis.port));
    second?.catch(() => {});
  });
  return async () => {
    isOver = true;
    await (await second)?.stop();
  };
}
