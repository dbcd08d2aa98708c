// @ts-check
/** Connections that come and go: stock ones and ours, into many rooms, leaving in every way there is. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { clientKind } from "../clients/index.js";
import { Connection } from "../connection.js";
import { inBatches } from "../batches.js";

const ROOMS = 200;
/** How many are open at a time. */
const CROWD = 500;
const STAY_MS = 100;
const CLOSE_CODES = [1000, 1001, 1006];
const ABNORMAL = 1006;
/** Addresses of loopback to dial from: one has too few ports for all who were here lately. */
const ADDRESSES = 50;

/**
 * @param {{ port: number, first: number, count: number }} options  `first` is the index of the first client: each is
 *   somebody new.
 */
export async function soak({ port, first, count }) {
  const startedAt = performance.now();
  for (let done = 0; done < count; done += CROWD) {
    const size = Math.min(CROWD, count - done);
    const crowd = Array.from({ length: size }, (_, i) => {
      const index = first + done + i;
      return new Connection(clientKind(index % 2 === 0 ? "tab" : "stock"), index, `soak-${index % ROOMS}`);
    });
    const localAddress = `127.0.0.${2 + ((done / CROWD) % ADDRESSES)}`;
    await inBatches(crowd, (connection) => connection.open({ port, localAddress }));
    for (const connection of crowd) connection.change();
    await sleep(STAY_MS);
    for (const connection of crowd) {
      const code = CLOSE_CODES[connection.index % CLOSE_CODES.length] ?? ABNORMAL;
      if (code === ABNORMAL) connection.reset();
      else connection.close(code);
    }
  }
  return { connections: count, seconds: (performance.now() - startedAt) / 1000 };
}
