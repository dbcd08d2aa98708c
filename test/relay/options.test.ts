import { describe, expect, it } from "vitest";
import { type RelayOptions, checkOption, resolveOptions } from "../../src/relay/options.ts";
import { createRelay } from "../../src/relay/index.ts";

describe("resolveOptions", () => {
  it("has the documented defaults", () => {
    expect(resolveOptions({})).toMatchObject({
      pingInterval: 15_000,
      pingTimeout: 10_000,
      leaveGrace: 3_000,
      tick: 33,
      lobbyTick: 100,
      recentTtl: 24 * 60 * 60 * 1_000,
      recentMax: 1_000,
    });
  });

  it("takes what is given, zero too, and the default for what is undefined", () => {
    const given = { leaveGrace: 0, tick: 0, pingTimeout: undefined } as unknown as Partial<RelayOptions>;
    expect(resolveOptions(given)).toMatchObject({ leaveGrace: 0, tick: 0, pingTimeout: 10_000, pingInterval: 15_000 });
  });

  it("[RUN-2] refuses an option that there is none of", () => {
    const given = { pingIntervall: 5 } as Partial<RelayOptions>;
    expect(() => resolveOptions(given)).toThrow(/^there is no option "pingIntervall"; there are pingInterval, /);
  });

  it.each([
    [{ pingInterval: 0 }, "pingInterval must be a whole number of milliseconds from 1 to 2147483647"],
    [{ tick: -1 }, "tick must be a whole number of milliseconds from 0 to 2147483647"],
    [{ leaveGrace: 1.5 }, "leaveGrace must be a whole number of milliseconds from 0 to 2147483647"],
    [{ lobbyTick: Number.NaN }, "lobbyTick must be a whole number of milliseconds from 0 to 2147483647"],
    // longer than a timer can wait: Node would not wait at all
    [{ pingTimeout: 2 ** 31 }, "pingTimeout must be a whole number of milliseconds from 1 to 2147483647"],
    [{ maxState: 10 }, "maxState must be a whole number of bytes from 64 to 2147483647"],
    [{ maxStates: 0 }, "maxStates must be a whole number from 1 to 1000000"],
    [{ recentMax: "9" as unknown as number }, "recentMax must be a whole number from 0 to 1000000"],
  ])("refuses %j, and names it", (given, message) => {
    expect(() => createRelay(given)).toThrow(new RangeError(message));
  });

  it("calls an option what its user calls it", () => {
    expect(() => checkOption("pingInterval", "--ping-interval", 0)).toThrow(/^--ping-interval must be/);
    expect(checkOption("pingInterval", "--ping-interval", 7)).toBe(7);
  });
});
