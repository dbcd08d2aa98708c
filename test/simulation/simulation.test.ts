import { describe, expect, it } from "vitest";
import { thoroughly } from "../thorough.ts";
import { VirtualClock } from "./clock.ts";
import { installRandom } from "./random.ts";

// before anything is imported that keeps a reference to Date.now
const clock = new VirtualClock();
clock.install();
installRandom();
const { runSeed } = await import("./run.ts");

const first = Number(process.env["SIM_SEED"] ?? 1);
const seeds = Number(process.env["SIM_SEEDS"] ?? thoroughly(100, 400));
const BATCH = 50;

describe("[TIME-1] [LIVE-2] [ROSTER-2] [ROSTER-5] [ROSTER-6] a world of failing pages, networks and relays", () => {
  for (let from = first; from < first + seeds; from += BATCH) {
    const to = Math.min(from + BATCH, first + seeds) - 1;
    it(`comes to the truth with seeds ${from} to ${to}`, { timeout: 3_600_000 }, () => {
      // a violation throws, with the seed and what led to it
      for (let seed = from; seed <= to; seed++) expect(runSeed(seed, clock).trace.length).toBeGreaterThan(0);
    });
  }
});
