import { expect, it } from "vitest";
import { troubleOf } from "../../../src/client/provider/trouble.ts";

const lost = { code: 1006, reason: "ECONNREFUSED", wasSettled: false, wasDialed: true };

it("[CLIENT-7] [CLIENT-13] says to check the address only where no relay has ever answered", () => {
  expect(troubleOf("ws://relay", lost, 5_000, false)).toContain("check address, port and certificate");
  expect(troubleOf("ws://relay", lost, 5_000, true)).toBe(
    "no connection to ws://relay (1006: ECONNREFUSED): the relay is away, or this device is offline; it is tried again",
  );
});

it("[CLIENT-7] says nothing of a connection that drops, and at once why a relay closed it", () => {
  expect(troubleOf("ws://relay", lost, 1_000, true)).toBeNull();
  const full = { code: 4503, reason: "the lobby is full", wasSettled: false, wasDialed: true };
  expect(troubleOf("ws://relay", full, 0, true)).toContain("closed the connection (4503: the lobby is full)");
});

it("[CLIENT-7] does not speak of the address where there is no token to dial it with", () => {
  const failure = { code: 1006, reason: "there is no token yet", wasSettled: false, wasDialed: false };
  expect(troubleOf("ws://relay", failure, 1_999, false)).toBeNull();
  expect(troubleOf("ws://relay", failure, 2_000, false)).toBe(
    "no connection to ws://relay: there is no token yet; it is asked for again",
  );
});
