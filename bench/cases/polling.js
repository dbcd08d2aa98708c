// @ts-check
/** The naive approach: 1,000 users who poll every 5 s, against the same users in the relay's lobby. */
import { fileURLToPath } from "node:url";
import { relay } from "../runner/servers.js";
import { onServer } from "./on-server.js";

const USERS = 1_000;
const CHANGES_PER_SECOND = 100;
const READERS = 10;

/** @type {import("../runner/servers.js").ServerKind} */
const pollingServer = {
  name: "REST polling",
  client: "polls",
  command: (port) => ({
    args: [fileURLToPath(new URL("../servers/polling.js", import.meta.url))],
    env: { PORT: String(port) },
  }),
};

/**
 * @typedef {object} PollingData
 * @property {Awaited<ReturnType<typeof onServer<"polling">>>} polled
 * @property {Awaited<ReturnType<typeof onServer<"lobby">>>} pushed
 */

/** @type {import("./case.js").Case<PollingData>} */
export const polling = {
  name: "polling",
  summary: "1,000 users who poll a REST endpoint every 5 s, against the same users on the relay",
  async run({ quick, log }) {
    const windowMs = quick ? 10_000 : 60_000;
    const common = { users: USERS, readers: READERS, changesPerSecond: CHANGES_PER_SECOND, windowMs };
    const polled = await onServer(pollingServer, "polling", { ...common, everyS: 5 }, 300_000);
    log(`polled: ${Math.round(polled.requestsPerSecond)} requests a second, ${describe(polled)}`);
    const pushed = await onServer(relay(), "lobby", { ...common, observers: USERS, warmMs: 3_000 }, 300_000);
    log(`pushed: ${describe(pushed)}`);
    return { polled, pushed };
  },
};

/** @param {{ freshness: import("../generator/histogram.js").Summary, serverCores: number, bytes: number, seconds: number }} row */
function describe({ freshness, serverCores, bytes, seconds }) {
  const cost = `${(100 * serverCores).toFixed(1)} % of a core, ${Math.round(bytes / seconds / 1000)} KB a second`;
  return `seen after p50 ${freshness.p50} ms, p99 ${freshness.p99} ms, ${cost}`;
}
