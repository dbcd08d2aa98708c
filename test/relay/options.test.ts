import { describe, expect, it } from "vitest";
import { checkValue, parseValue } from "../../src/relay/option.ts";
import { type OptionName, type RelayConfig, optionSpecs, resolveOptions } from "../../src/relay/options.ts";
import { createRelay } from "../../src/relay/index.ts";

describe("resolveOptions", () => {
  it("has the documented defaults", () => {
    expect(resolveOptions({})).toMatchObject({
      pingInterval: 15_000,
      pingTimeout: 10_000,
      leaveGrace: 3_000,
      tick: 0,
      lobbyTick: 0,
      recentTtl: 24 * 60 * 60 * 1_000,
      recentMax: 1_000,
    });
  });

  it("takes what is given, zero too, and the default for what is undefined", () => {
    const given = { leaveGrace: 0, tick: 0, pingTimeout: undefined } as unknown as RelayConfig;
    expect(resolveOptions(given)).toMatchObject({ leaveGrace: 0, tick: 0, pingTimeout: 10_000, pingInterval: 15_000 });
  });

  it("[RUN-2] refuses an option that there is none of", () => {
    const given = { pingIntervall: 5 } as RelayConfig;
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
    expect(() => checkValue(optionSpecs.pingInterval, "--ping-interval", 0)).toThrow(/^--ping-interval must be/);
    expect(checkValue(optionSpecs.pingInterval, "--ping-interval", 7)).toBe(7);
  });

  it.each<[OptionName, string, unknown]>([
    ["tick", "5", 5],
    ["open", "true", true],
    ["open", "0", false],
    ["lobbyRooms", "false", false],
    ["trustProxy", "true", 1],
    ["trustProxy", "2", 2],
    ["jwtAudience", "my app", "my app"],
    ["jwtSecret", "one,two", ["one", "two"]],
    // a phrase, not two secrets
    ["jwtSecret", "one, two", ["one, two"]],
    ["jwtPublicKey", "a.pem, b.pem", ["a.pem", "b.pem"]],
    ["jwtPublicKey", '{"kty":"EC","crv":"P-256"}', ['{"kty":"EC","crv":"P-256"}']],
    ["origins", "https://a.example, http://localhost:5173", ["https://a.example", "http://localhost:5173"]],
  ])("[RUN-2] reads %s from %j", (name, source, value) => {
    expect(parseValue(optionSpecs[name], name, source)).toEqual(value);
  });

  it.each<[OptionName, string, string]>([
    ["open", "yes", "open must be true or false"],
    ["trustProxy", "99", "trustProxy must be true, false, or how many proxies, at most 16"],
    ["jwtSecret", "", "jwtSecret must not be empty"],
    ["jwtSecret", "a,,b", "jwtSecret must not be empty"],
    ["origins", "*", 'origins: "*" is no origin: without origins, pages of all origins may connect'],
  ])("[RUN-2] refuses to read %s from %j", (name, source, message) => {
    expect(() => parseValue(optionSpecs[name], name, source)).toThrow(new RangeError(message));
  });
});
