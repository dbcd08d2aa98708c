// @ts-check
/** A connection is cut and comes back: how long until both sides see each other again. Real client libraries. */
import { setTimeout as sleep } from "node:timers/promises";
import { Peer } from "../runner/peer.js";
import { startProxy } from "../runner/proxy.js";
import { until } from "../until.js";
import { relay, startServer, yWebsocket } from "../runner/servers.js";

/** @typedef {import("../runner/peer.js").Library} Library */
/**
 * Times in ms from the moment that the socket opened again, 0 if the one never lost sight of the other; `null` if it
 * did not see it within the limit.
 *
 * @typedef {{ server: string, returning: Library, staying: Library, returningSees: (number | null)[], stayingSees: (number | null)[] }} ReconnectRow
 */

/** @type {readonly (readonly [returning: Library, staying: Library])[]} */
const PAIRS = [
  ["own", "own"],
  ["own", "stock"],
  ["stock", "own"],
  ["stock", "stock"],
];

const LIMIT_MS = 35_000;
const POLL_MS = 10;
/** How long both have to see each other before it counts, and before the next cut. */
const STEADY_MS = 500;

/** @type {import("./case.js").Case<{ rows: ReconnectRow[] }>} */
export const reconnect = {
  name: "reconnect",
  summary: "a connection is cut and comes back: how long until both sides see each other again",
  async run({ quick, log }) {
    /** @type {ReconnectRow[]} */
    const rows = [];
    for (const [returning, staying] of PAIRS) {
      for (const kind of [relay(), yWebsocket]) {
        const repetitions = kind === yWebsocket ? (quick ? 1 : 5) : quick ? 5 : 30;
        const row = await measure(kind, returning, staying, repetitions);
        rows.push(row);
        const times = `sees after ${row.returningSees.join(", ")} ms, is seen after ${row.stayingSees.join(", ")} ms`;
        log(`${returning} returns to ${staying} on ${kind.name}: ${times}`);
      }
    }
    return { rows };
  },
};

/**
 * @param {import("../runner/servers.js").ServerKind} kind
 * @param {Library} returning
 * @param {Library} staying
 * @param {number} repetitions
 * @returns {Promise<ReconnectRow>}
 */
async function measure(kind, returning, staying, repetitions) {
  const server = await startServer(kind);
  const proxy = await startProxy(server.port);
  const stays = new Peer(staying, { url: `ws://127.0.0.1:${server.port}`, room: "reconnect", name: "stays" });
  const returns = new Peer(returning, { url: `ws://127.0.0.1:${proxy.port}`, room: "reconnect", name: "returns" });
  /** @type {ReconnectRow} */
  const row = { server: kind.name, returning, staying, returningSees: [], stayingSees: [] };
  try {
    for (let i = 0; i < repetitions; i++) {
      await untilSteady([stays, returns]);
      const before = returns.openedAt;
      proxy.cut();
      await until(() => returns.openedAt !== before, LIMIT_MS);
      await untilSteady([stays, returns]);
      row.returningSees.push(timeOf(returns, returns.openedAt));
      row.stayingSees.push(timeOf(stays, returns.openedAt));
    }
    return row;
  } finally {
    await Promise.all([stays.stop(), returns.stop()]);
    proxy.close();
    await server.stop();
  }
}

/**
 * @param {Peer} peer
 * @param {number} openedAt
 */
function timeOf({ sees, seesSince }, openedAt) {
  return sees ? Math.round(Math.max(0, seesSince - openedAt) * 10) / 10 : null;
}

/** @param {readonly Peer[]} peers */
async function untilSteady(peers) {
  const limit = Date.now() + LIMIT_MS;
  const isSteady = async () => {
    if (!peers.every(({ sees }) => sees)) return false;
    await sleep(STEADY_MS);
    return peers.every(({ sees }) => sees);
  };
  while (!(await isSteady()) && Date.now() < limit) await sleep(POLL_MS);
}
