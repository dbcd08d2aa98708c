// @ts-check
/** Many connections that say who they are and then nothing: what one costs to keep. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { inBatches } from "../batches.js";
import { clientKind } from "../clients/index.js";
import { Connection } from "../connection.js";
import { startRenewals } from "../renewals.js";
import { residentBytes } from "../proc.js";

/** @param {{ port: number, serverPid: number, kind: string, rooms: number, perRoom: number, settleMs: number }} options */
export async function connections({ port, serverPid, kind, rooms, perRoom, settleMs }) {
  let closed = 0;
  const all = Array.from({ length: rooms * perRoom }, (_, index) => {
    const room = `room-${Math.floor(index / perRoom)}`;
    return new Connection(clientKind(kind), index, room, { closed: () => closed++ });
  });
  const before = residentBytes(serverPid);
  const startedAt = performance.now();
  const renewals = startRenewals(all);
  await inBatches(all, (connection) => connection.open({ port }));
  const acceptedMs = performance.now() - startedAt;
  await sleep(settleMs);
  const after = residentBytes(serverPid);
  renewals.stop();
  return { connections: all.length, acceptedMs, before, after, bytesEach: (after - before) / all.length, closed };
}
