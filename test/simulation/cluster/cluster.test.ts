import { describe, expect, it } from "vitest";
import { thoroughly } from "../../thorough.ts";
import { clock, inMacrotask } from "./clock.ts";

const { runClusterSeed } = await import("./run.ts");

const first = Number(process.env["SIM_SEED"] ?? 1);
const seeds = Number(process.env["SIM_CLUSTER_SEEDS"] ?? process.env["SIM_SEEDS"] ?? thoroughly(15, 50));
const BATCH = 50;
/** To learn whether any seed fails, the first that does is enough. */
const endsAtFirst = process.env["SIM_FIRST"] !== undefined;

/** Nothing that awaits goes on while a microtask runs: each seed is a task of its own. */
function run(seed: number): Promise<number> {
  return new Promise((resolve, reject) => {
    inMacrotask(() => {
      try {
        resolve(runClusterSeed(seed, clock).trace.length);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

describe("[BUS-1] [BUS-3] [BUS-9] [BUS-15] [BUS-16] [BUS-18] [BUS-19] a world of failing relays and a failing bus", () => {
  for (let from = first; from < first + seeds; from += BATCH) {
    const to = Math.min(from + BATCH, first + seeds) - 1;
    it(`comes to the truth with seeds ${from} to ${to}`, { timeout: 3_600_000 }, async () => {
      const violations: Error[] = [];
      for (let seed = from; seed <= to; seed++) {
        // a violation throws, with the seed and what led to it
        await run(seed).catch((error: unknown) => violations.push(error as Error));
        if (endsAtFirst && violations.length > 0) break;
      }
      expect(violations.map(({ message }) => message).join("\n\n")).toBe("");
    });
  }
});
