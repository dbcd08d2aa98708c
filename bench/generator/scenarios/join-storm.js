// @ts-check
/** Many join one room within a second: until each of them has seen all others. */
import { performance } from "node:perf_hooks";
import { until } from "../../until.js";
import { clientKind } from "../clients/index.js";
import { Connection } from "../connection.js";
import { Meter } from "../meter.js";
import { Pacer } from "../pacer.js";
import { startRenewals } from "../renewals.js";

/** @param {{ port: number, serverPid: number, kind: string, people: number, limitMs: number }} options */
export async function joinStorm({ port, serverPid, kind, people, limitMs }) {
  const seen = Array.from({ length: people }, () => new Set());
  let complete = 0;
  let failed = 0;
  const connections = Array.from({ length: people }, (_, index) => {
    return new Connection(clientKind(kind), index, "storm", {
      state: (_connection, sender) => {
        const others = seen[index];
        if (sender === index || others === undefined || others.has(sender)) return;
        others.add(sender);
        if (others.size === people - 1) complete++;
      },
    });
  });
  const meter = new Meter(serverPid, connections);
  const startedAt = performance.now();
  const pacer = new Pacer(people, (turn) => {
    connections[turn]?.open({ port }).catch(() => failed++);
    if (turn === people - 1) pacer.stop();
  });
  pacer.start();
  const renewals = startRenewals(connections);
  const isComplete = await until(() => complete === people, limitMs);
  const allSeeAllMs = isComplete ? performance.now() - startedAt : null;
  pacer.stop();
  renewals.stop();
  const pairs = seen.reduce((sum, { size }) => sum + size, 0);
  return { ...meter.read(), people, allSeeAllMs, seenShare: pairs / (people * (people - 1)), failed };
}
