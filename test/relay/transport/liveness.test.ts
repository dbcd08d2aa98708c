import { assert, double, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { aliveAt, nextStep, openedAt, sweepInterval } from "../../../src/relay/transport/liveness.ts";

const options = { pingInterval: 1_000, pingTimeout: 500 };

describe("[LIVE-4] what to do about a connection that was last alive at 0, looking every 50 ms", () => {
  it.each([
    ["is left alone while it may still speak by itself", 0, null, "wait"],
    ["is left alone when the next look is in time", 950, null, "wait"],
    ["is asked when the next look would be late", 951, null, "ping"],
    ["is asked however late the look", 90_000, null, "ping"],
    ["may take its time to answer", 951, 951, "wait"],
    ["is waited for while the next look is in time", 1_401, 951, "wait"],
    ["is given up when the next look would be late", 1_402, 951, "dead"],
  ] as const)("%s", (_, now, pingedAt, step) => {
    expect(nextStep({ ...aliveAt(0, options), pingedAt }, now, 50, options)).toBe(step);
  });

  it.each([
    [15_000, 10_000],
    [1_000, 1_000],
    [1_000, 30],
    [1, 1],
  ])("gives up at most %d + %d ms after the last sign of life, wherever it falls between two looks", (...times) => {
    const [pingInterval, pingTimeout] = times;
    const timing = { pingInterval, pingTimeout };
    const within = sweepInterval(timing);
    for (let lastSeen = 0; lastSeen < within; lastSeen++) {
      let pingedAt: number | null = null;
      let now = within;
      for (; ; now += within) {
        const step = nextStep({ ...aliveAt(lastSeen, timing), pingedAt }, now, within, timing);
        if (step === "dead") break;
        if (step === "ping") pingedAt = now;
      }
      // the very shortest times are looked at no more often than every 5 ms
      expect(now - lastSeen).toBeLessThanOrEqual(Math.max(pingInterval + pingTimeout, 2 * within));
      expect(pingedAt).not.toBeNull();
    }
  });
});

it("[LIVE-4] asks those who came together at moments of their own, and never later than those who were here", () => {
  assert(
    property(double({ min: 0, max: 1, noNaN: true }), (chance) => {
      const opened = openedAt(1_000, chance, options);
      expect(opened.pingBy).toBeCloseTo(1_000 + chance * options.pingInterval);
      expect(opened.pingBy).toBeLessThanOrEqual(aliveAt(1_000, options).pingBy);
    }),
  );
});

it("looks often enough for the shortest times, and seldom for long ones", () => {
  expect(sweepInterval({ pingInterval: 15_000, pingTimeout: 10_000 })).toBe(250);
  expect(sweepInterval({ pingInterval: 15_000, pingTimeout: 400 })).toBe(20);
  expect(sweepInterval({ pingInterval: 1, pingTimeout: 10_000 })).toBe(5);
});
