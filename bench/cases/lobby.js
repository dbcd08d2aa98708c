// @ts-check
/** 10,000 people online, 1,000 of whom watch who is. */
import { relay } from "../runner/servers.js";
import { onServer } from "./on-server.js";

/** @typedef {Awaited<ReturnType<typeof onServer<"lobby">>>} LobbyRow */

/** @type {import("./case.js").Case<{ rows: LobbyRow[] }>} */
export const lobby = {
  name: "lobby",
  summary:
    "10,000 users online, 1,000 observers, 100 changes a second: until the observers see it; a newcomer's roster",
  async run({ quick, log }) {
    const size = quick
      ? { users: 1_000, observers: 200, warmMs: 2_000, windowMs: 5_000 }
      : { users: 10_000, observers: 1_000, warmMs: 5_000, windowMs: 30_000 };
    const row = await onServer(relay(), "lobby", { ...size, readers: 10, changesPerSecond: 100 }, 300_000);
    const { freshness, serverCores, snapshotBytes, newcomers } = row;
    const rosters = newcomers.map(({ rosterMs }) => Math.round(rosterMs)).join(", ");
    log(`seen after p50 ${freshness.p50} ms, p99 ${freshness.p99} ms; ${(100 * serverCores).toFixed(0)} % of a core`);
    log(`snapshot ${Math.round(snapshotBytes / 1000)} KB; a newcomer has the roster after ${rosters} ms`);
    return { rows: [row] };
  },
};
