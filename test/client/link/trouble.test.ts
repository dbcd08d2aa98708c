import { expect, it } from "vitest";
import { troubleOf } from "../../../src/client/link/trouble.ts";

const lost = { code: 1006, reason: "ECONNREFUSED", wasSettled: false, wasDialed: true, failingMs: 5_000 };

it("[CLIENT-7] [CLIENT-13] says to check the address only where no relay has ever answered", () => {
  expect(troubleOf("ws://relay", lost, false)).toContain("check address, port and certificate");
  expect(troubleOf("ws://relay", lost, true)).toBe(
    "no connection to ws://relay (1006: ECONNREFUSED): the relay is away, or this device is offline; it is tried again",
  );
});

it("[CLIENT-7] says nothing of a connection that drops, and at once why a relay closed it", () => {
  expect(troubleOf("ws://relay", { ...lost, failingMs: 1_000 }, true)).toBeNull();
  const full = { ...lost, code: 4503, reason: "the lobby is full", failingMs: 0 };
  expect(troubleOf("ws://relay", full, true)).toContain("closed the connection (4503: the lobby is full)");
});

it("[CLIENT-7] does not speak of the address where there is no token to dial it with", () => {
  const failure = { ...lost, reason: "there is no token yet", wasDialed: false };
  expect(troubleOf("ws://relay", { ...failure, failingMs: 1_999 }, false)).toBeNull();
  expect(troubleOf("ws://relay", { ...failure, failingMs: 2_000 }, false)).toBe(
    "no connection to ws://relay (1006: there is no token yet); it is asked for again",
  );
});
