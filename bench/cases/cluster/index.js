// @ts-check
/** Several relays on one Redis against one alone; beside it Hocuspocus servers with their extension for Redis. */
import { hocuspocus, hocuspocusOnRedis, relay, relayOnRedis, relayOwn } from "../../runner/servers.js";
import { isGeneratorBound } from "../case.js";
import { onCluster } from "./on-cluster.js";

/** @typedef {import("./on-cluster.js").Layout} Layout */
/** @typedef {import("./on-cluster.js").Software} Software */
/** @typedef {Layout & { server: string }} Placed */
/** @typedef {import("../../generator/crowd.js").Window & Placed & { rooms: number, size: number, changesPerSecond: number, generatorBound: boolean }} CrowdRow */
/** @typedef {Awaited<ReturnType<typeof import("../../generator/scenarios/lobby.js").lobby>> & Placed} LobbyRow */
/** @typedef {Awaited<ReturnType<typeof import("../../generator/scenarios/healing.js").healing>> & Placed} HealingRow */
/** @typedef {{ room: CrowdRow[], rooms: CrowdRow[], lobby: LobbyRow[], healing: HealingRow[] }} ClusterData */

/** @type {Software} */
const stock = { alone: relay(), onRedis: relayOnRedis };
/** @type {Software} */
const own = { alone: relayOwn, onRedis: (port) => ({ ...relayOwn, command: relayOnRedis(port).command }) };
/** @type {Software} */
const peer = { alone: hocuspocus, onRedis: hocuspocusOnRedis };

/** @type {Layout} */
const ALONE = { servers: 1, by: "room" };
/** @type {Layout} */
const BY_ROOM = { servers: 2, by: "room" };
/** @type {Layout} */
const BY_PERSON = { servers: 2, by: "person" };

const CHANGES_PER_SECOND = 5;

/** @type {import("../case.js").Case<ClusterData>} */
export const cluster = {
  name: "cluster",
  summary:
    "several relays on one Redis: a room on two, many rooms, a lobby on up to four, Redis killed and started again",
  async run(context) {
    const { quick } = context;
    const times = quick ? { warmMs: 2_000, windowMs: 3_000 } : { warmMs: 15_000, windowMs: 10_000 };
    const lobbySize = quick
      ? { users: 1_000, observers: 200, warmMs: 2_000, windowMs: 5_000 }
      : { users: 10_000, observers: 1_000, warmMs: 5_000, windowMs: 30_000 };
    /** @type {ClusterData} */
    const data = { room: [], rooms: [], lobby: [], healing: [] };
    for (const perRoom of quick ? [10, 100] : [10, 20, 100]) {
      const size = { rooms: 1, perRoom, changesPerSecond: 10, measured: 25, ...times };
      data.room.push(...(await crowds(context, size, [ALONE, BY_PERSON])));
    }
    const many = { rooms: quick ? 20 : 100, perRoom: 5, changesPerSecond: CHANGES_PER_SECOND, measured: 250, ...times };
    data.rooms.push(...(await crowds(context, many, [ALONE, BY_ROOM, BY_PERSON])));
    for (const servers of [1, 2, 4]) {
      const layout = { servers, by: /** @type {const} */ ("room") };
      const lobby = { ...lobbySize, readers: 10, changesPerSecond: 100 };
      const row = await context.attempt(`lobby on ${servers}`, () => {
        return onCluster(stock, layout, "lobby", lobby, { timeoutMs: 300_000 });
      });
      if (row === null) continue;
      data.lobby.push(row);
      context.log(`lobby on ${servers}: ${describeLobby(row)}`);
    }
    data.healing.push(...(await healings(context)));
    return data;
  },
};

/**
 * @param {import("../case.js").Context} context
 * @param {{ rooms: number, perRoom: number, changesPerSecond: number, measured: number, warmMs: number, windowMs: number }} options
 * @param {readonly Layout[]} layouts
 */
async function crowds({ attempt, log }, options, layouts) {
  const { rooms, perRoom: size, changesPerSecond, warmMs, windowMs } = options;
  log(`${rooms} × ${size} people, ${changesPerSecond} changes a second of each`);
  /** @type {CrowdRow[]} */
  const rows = [];
  for (const software of [stock, own, peer]) {
    for (const layout of layouts) {
      const timeoutMs = 120_000 + warmMs + windowMs;
      const what = `${software.alone.name} on ${layout.servers} by ${layout.by}`;
      const window = await attempt(what, () => onCluster(software, layout, "room", options, { timeoutMs }));
      if (window === null) continue;
      const row = { ...window, rooms, size, changesPerSecond, generatorBound: isGeneratorBound(window) };
      rows.push(row);
      log(`  ${what}: ${describeCrowd(row)}`);
    }
  }
  return rows;
}

/** @param {import("../case.js").Context} context */
async function healings({ quick, attempt, log }) {
  // each room is two sockets of the generator, which has as many files as the system allows: often 20,000
  const options = { rooms: quick ? 300 : 9_000, perRoom: 2, limitMs: 60_000 };
  const limits = { timeoutMs: 240_000, redisAwayMs: quick ? 4_000 : 20_000 };
  const row = await attempt("healing", () => onCluster(stock, BY_PERSON, "healing", options, limits));
  if (row === null) return [];
  const cpu = row.cpuSeconds.map((seconds) => seconds.toFixed(2)).join(" + ");
  log(`${row.rooms} rooms: ${row.healed} of ${row.missed} healed, the last after ${row.lastMs} ms, at ${cpu} s of CPU`);
  return [row];
}

/** @param {CrowdRow} row */
function describeCrowd({ apart, coresOf, generatorCores, knownShare }) {
  const times = apart === undefined ? "" : `local ${pair(apart.local)}, remote ${pair(apart.remote)}, `;
  return `${times}${percent(knownShare)} known, ${describeCores(coresOf)}, generator ${percent(generatorCores)}`;
}

/** @param {LobbyRow} row */
function describeLobby({ freshness, agreement, newcomers, coresOf }) {
  const rosters = newcomers.map(({ rosterMs, users }) => `${Math.round(rosterMs)} ms (${users})`).join(", ");
  return `seen ${pair(freshness)}, apart ${pair(agreement)}, ${describeCores(coresOf)}; newcomers ${rosters}`;
}

/** @param {import("../../generator/meter.js").Cores | undefined} cores */
function describeCores({ servers, bus } = { servers: [], bus: null }) {
  return `servers ${servers.map(percent).join(" + ")}${bus === null ? "" : `, Redis ${percent(bus)}`}`;
}

/** @param {import("../../generator/histogram.js").Summary} summary */
function pair({ p50, p99 }) {
  return `p50 ${p50} p99 ${p99} ms`;
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
