// @ts-check
/** Many tabs that say who they are and then nothing: what one costs to keep, and what it is sent all the same. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { inBatches } from "../batches.js";
import { clientKind } from "../clients/index.js";
import { Connection } from "../connection.js";
import { Meter } from "../meter.js";
import { startRenewals } from "../renewals.js";
import { residentBytes } from "../proc.js";

/**
 * @param {object} options
 * @param {number} options.port
 * @param {number} options.serverPid
 * @param {string} options.kind  Of client. Those that have a socket for each room have two of them a tab.
 * @param {number} options.rooms
 * @param {number} options.perRoom
 * @param {number} options.settleMs  From when the last has joined until memory is read.
 * @param {number} options.idleMs  From then on it is counted what is sent.
 */
export async function connections({ port, serverPid, kind, rooms, perRoom, settleMs, idleMs }) {
  let closed = 0;
  const tabs = rooms * perRoom;
  const places = kind === "tab" ? ["room"] : ["room", "beside"];
  const all = places.flatMap((place, socket) =>
    Array.from({ length: tabs }, (_, i) => {
      const room = `${place}-${Math.floor(i / perRoom)}`;
      return new Connection(clientKind(kind), socket * tabs + i, room, { closed: () => closed++ });
    }),
  );
  const before = residentBytes(serverPid);
  const startedAt = performance.now();
  const renewals = startRenewals(all);
  await inBatches(all, (connection) => connection.open({ port }));
  const acceptedMs = performance.now() - startedAt;
  await sleep(settleMs);
  const after = residentBytes(serverPid);
  const meter = new Meter(serverPid, all);
  await sleep(idleMs);
  const { seconds, frames, bytes, serverCores } = meter.read();
  renewals.stop();
  return {
    tabs,
    sockets: all.length,
    acceptedMs,
    before,
    after,
    bytesEach: (after - before) / tabs,
    framesPerMinute: (60 * frames) / seconds / tabs,
    bytesPerMinute: (60 * bytes) / seconds / tabs,
    serverCores,
    closed,
  };
}
