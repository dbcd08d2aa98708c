// @ts-check
/** A room where nobody does anything: what is sent all the same. */
import { setTimeout as sleep } from "node:timers/promises";
import { inBatches } from "../batches.js";
import { clientKind } from "../clients/index.js";
import { Connection } from "../connection.js";
import { Meter } from "../meter.js";
import { startRenewals } from "../renewals.js";

/** @param {{ port: number, serverPid: number, kind: string, people: number, warmMs: number, windowMs: number }} options */
export async function idle({ port, serverPid, kind, people, warmMs, windowMs }) {
  const { echoes } = clientKind(kind);
  let closed = 0;
  const connections = Array.from({ length: people }, (_, index) => {
    return new Connection(clientKind(kind), index, "idle", { closed: () => closed++ });
  });
  const renewals = startRenewals(connections);
  await inBatches(connections, (connection) => connection.open({ port }));
  // only now: what joining costs when everybody echoes it is another matter, and too much for some
  for (const connection of connections) connection.echo = echoes;
  await sleep(warmMs);
  const meter = new Meter(serverPid, connections);
  await sleep(windowMs);
  const reading = meter.read();
  renewals.stop();
  return { ...reading, closed };
}
