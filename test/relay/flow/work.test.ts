import { describe, expect, it } from "vitest";
import { TimeQuota, Work } from "../../../src/relay/flow/work.ts";
import { ProcessorTime } from "../../../src/relay/flow/processor.ts";

/** Takes `ms` every `everyMs` for ten seconds. Returns after how long it was too much, or null if it never was. */
function takes(quota: TimeQuota, payer: string, ms: number, everyMs: number): number | null {
  const own = new Work();
  for (let now = 0; now <= 10_000; now += everyMs) if (!quota.charge(own, payer, ms, now)) return now;
  return null;
}

describe("a connection", () => {
  it("[COST-1] may take the rate for as long as it likes, and three seconds' worth at once", () => {
    expect(takes(new TimeQuota(200), "alice", 10, 52)).toBeNull();
    const tooMuch = takes(new TimeQuota(200), "alice", 10, 25);
    expect(tooMuch).toBeGreaterThan(1_500);
    // one that keeps the relay busy all the time is stopped within a second
    expect(takes(new TimeQuota(200), "alice", 10, 10)).toBeLessThan(1_000);
    expect(takes(new TimeQuota(0), "alice", 1_000, 1_000)).toBeNull();
  });

  it("[COST-3] is charged with a third of that at most for one message, however long it took", () => {
    const [quota, own] = [new TimeQuota(200), new Work()];
    expect([0, 1, 2].map((now) => quota.charge(own, "alice", 60_000, now))).toEqual([true, true, true]);
    expect(quota.charge(own, "alice", 60_000, 3)).toBe(false);
  });
});

describe("a user, or an address", () => {
  it("[COST-9] may take twice as much with all connections, and then those are spared that take little", () => {
    const quota = new TimeQuota(200);
    const honest = new Work();
    const heavy = Array.from({ length: 10 }, () => new Work());
    const closed = new Set<Work>();
    for (let now = 0; now < 3_000; now += 100) {
      for (const each of heavy) if (!closed.has(each) && !quota.charge(each, "mallory", 10, now)) closed.add(each);
      expect(quota.charge(honest, "mallory", 0.5, now)).toBe(true);
    }
    // none of them took more than half of what one may
    expect(closed.size).toBeGreaterThan(3);
    expect(quota.charge(new Work(), "bob", 100, 3_000)).toBe(true);
  });

  it("[COST-2] is charged though its connections come and go, and forgotten once it takes nothing", () => {
    const quota = new TimeQuota(200);
    const again = Array.from({ length: 20 }, (_, i) => quota.charge(new Work(), "mallory", 150, i));
    expect(again.filter((may) => may)).toHaveLength(8);
    expect(quota.size).toBe(1);
    quota.sweep(5_000);
    expect(quota.size).toBe(1);
    quota.sweep(60_000);
    expect(quota.size).toBe(0);
  });
});

describe("the processor's time", () => {
  it("[COST-3] is what counts where the machine was busy with something else", () => {
    let used = 100;
    const processor = new ProcessorTime(() => used);
    processor.begin(0);
    used += 3;
    expect(processor.taken(500, 500)).toBe(3);
    // the next has not taken what the one before it did
    used += 4;
    expect(processor.taken(4, 504)).toBe(4);
    expect(processor.taken(300, 804)).toBe(0);
    // what is short is taken as it is
    expect(processor.taken(0.3, 805)).toBe(0.3);
  });

  it("[COST-3] that was used before something began is not charged to it", () => {
    let used = 0;
    const processor = new ProcessorTime(() => used);
    processor.begin(0);
    used += 900;
    processor.begin(1_000);
    used += 5;
    expect(processor.taken(50, 1_050)).toBe(5);
  });
});
