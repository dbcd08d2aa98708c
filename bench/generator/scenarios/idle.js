// @ts-check
/** A room where nobody does anything: what is sent all the same. */
import { setTimeout as sleep } from "node:timers/promises";
import { inBatches } from "../batches.js";
import { clientKind } from "../clients/index.js";
import { Connection } from "../connection.js";
import { Meter } from "../meter.js";
import { Pacer } from "../pacer.js";

/** y-protocols renews a state that is as old as this; our client says as often that its page lives. */
const RENEW_S = 15;

/** @param {{ port: number, serverPid: number, kind: string, people: number, warmMs: number, windowMs: number }} options */
export async function idle({ port, serverPid, kind, people, warmMs, windowMs }) {
  const { echoes } = clientKind(kind);
  let closed = 0;
  const connections = Array.from({ length: people }, (_, index) => {
    const connection = new Connection(clientKind(kind), index, "idle", { closed: () => closed++ });
    connection.echo = echoes;
    return connection;
  });
  await inBatches(connections, (connection) => connection.open({ port }));
  const pacer = new Pacer(people / RENEW_S, (turn) => connections[turn % people]?.renew());
  pacer.start();
  await sleep(warmMs);
  const meter = new Meter(serverPid, connections);
  await sleep(windowMs);
  const reading = meter.read();
  pacer.stop();
  return { ...reading, closed };
}
