import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Activity,
  type ActivitySignal,
  awayAt,
  defaultActivityPolicy as policy,
  onSignal,
  statusAt,
} from "../../src/presence/index.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** The status at a time, ms, of a page that was opened at 0 and said these things. */
function statusAfter(
  signals: readonly (readonly [at: number, signal: ActivitySignal])[],
  at: number,
  mobile = false,
): string {
  let activity: Activity = { page: "visible", at: 0 };
  for (const [when, signal] of signals) activity = onSignal(activity, signal, when);
  return statusAt(activity, policy, mobile, at);
}

describe("activity", () => {
  it("has the times that are documented", () => {
    expect(policy).toEqual({ hiddenMs: 45_000, mobileHiddenMs: 15_000, idleMs: 300_000 });
  });

  type Case = readonly [signals: [number, ActivitySignal][], at: number, mobile?: boolean];
  const hidden: [number, ActivitySignal] = [MINUTE, "hidden"];

  const online: [what: string, ...Case][] = [
    ["opened", [], 5 * MINUTE - 1],
    ["hidden for less than 45 s", [hidden], MINUTE + 45 * SECOND - 1],
    ["back after 44 s", [hidden, [MINUTE + 44 * SECOND, "visible"]], 6 * MINUTE],
    ["in use every 5 min", [[299 * SECOND, "input"]], 299 * SECOND + 5 * MINUTE - 1],
    ["hidden for less than 45 s after 4 min 50 s without input", [[290 * SECOND, "hidden"]], 335 * SECOND - 1],
    ["on a phone, hidden for less than 15 s", [hidden], MINUTE + 15 * SECOND - 1, true],
    ["on a phone, visible", [], 5 * MINUTE - 1, true],
  ];
  it.each(online)("[ACT-1] is online when %s", (_what, signals, at, mobile) => {
    expect(statusAfter(signals, at, mobile)).toBe("online");
  });

  const away: [what: string, ...Case][] = [
    ["hidden for 45 s", [hidden], MINUTE + 45 * SECOND],
    ["hidden for 45 s, and hidden again meanwhile", [hidden, [MINUTE + SECOND, "hidden"]], MINUTE + 45 * SECOND],
    [
      "hidden for 45 s, whatever input a hidden page reports",
      [hidden, [MINUTE + SECOND, "input"]],
      MINUTE + 45 * SECOND,
    ],
    ["without input for 5 min", [[SECOND, "input"]], SECOND + 5 * MINUTE],
    ["on a phone, hidden for 15 s", [hidden], MINUTE + 15 * SECOND, true],
  ];
  it.each(away)("[ACT-2] is away when %s", (_what, signals, at, mobile) => {
    expect(statusAfter(signals, at, mobile)).toBe("away");
    expect(statusAfter(signals, at - 1, mobile)).toBe("online");
  });

  const back: [what: string, ...Case][] = [
    ["the page is shown", [hidden, [10 * MINUTE, "visible"]], 10 * MINUTE],
    ["there is input", [[10 * MINUTE, "input"]], 10 * MINUTE],
    ["the page is shown on a phone", [hidden, [10 * MINUTE, "visible"]], 10 * MINUTE, true],
  ];
  it.each(back)("[ACT-3] is online at once when %s", (_what, signals, at, mobile) => {
    expect(statusAfter(signals.slice(0, -1), at - 1, mobile)).toBe("away");
    expect(statusAfter(signals, at, mobile)).toBe("online");
  });

  it("[ACT-3] does not come back from being idle because the page is hidden", () => {
    for (const mobile of [false, true]) {
      for (const at of [6 * MINUTE, 6 * MINUTE + SECOND, 60 * MINUTE]) {
        expect(statusAfter([[6 * MINUTE, "hidden"]], at, mobile)).toBe("away");
      }
    }
  });

  it("[ACT-3] comes back by return or input alone, whatever else is signalled", () => {
    const signals = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 200 }), fc.constantFrom<ActivitySignal>("hidden", "visible", "input")),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(signals, fc.boolean(), (steps, mobile) => {
        let activity: Activity = { page: "visible", at: 0 };
        let now = 0;
        let was = "online";
        for (const [seconds, signal] of steps) {
          now += seconds * SECOND;
          const before = statusAt(activity, policy, mobile, now);
          // left alone it goes away, once
          expect([was, before]).not.toEqual(["away", "online"]);
          expect(before).toBe(now >= awayAt(activity, policy, mobile) ? "away" : "online");
          const returns = signal === "visible" || (signal === "input" && activity.page === "visible");
          activity = onSignal(activity, signal, now);
          was = statusAt(activity, policy, mobile, now);
          expect(was).toBe(returns ? "online" : before);
        }
      }),
    );
  });
});
