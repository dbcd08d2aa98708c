import { expect, it } from "vitest";
import { troubleOf } from "../../../src/client/provider/trouble.ts";

const lost = { code: 1006, reason: "ECONNREFUSED", wasSettled: false };

it("[CLIENT-7] says to check the address only where no relay has ever answered", () => {
  expect(troubleOf("ws://relay", lost, 5_000, false)).toContain("check address, port and certificate");
  expect(troubleOf("ws://relay", lost, 5_000, true)).toBe(
    "no connection to ws://relay (1006: ECONNREFUSED); it is tried again",
  );
});

it("[CLIENT-7] says nothing of a connection that drops, and at once why a relay closed it", () => {
  expect(troubleOf("ws://relay", lost, 1_000, true)).toBeNull();
  const full = { code: 4503, reason: "the lobby is full", wasSettled: false };
  expect(troubleOf("ws://relay", full, 0, true)).toContain("closed the connection (4503: the lobby is full)");
});
