/** What `copresence verify` finds: nothing on our relay, and on a relay with one rule broken, that rule. */
import { describe, expect, it } from "vitest";
import { verify } from "../../src/verify/verify.ts";
import { tokenFor, SECRET } from "../relay/tokens.ts";
import { startRelay } from "../support.ts";
import { brokenAt, namedAt, namesItself, targetAt } from "./broken.ts";

/** Checks that are over in this time, s; what takes longer is in patient.test.ts. */
const QUICK = { withinSeconds: 10 };

describe("on a relay of ours", () => {
  it("finds nothing, also where tokens and an origin are asked for", async () => {
    const open = await startRelay();
    const origin = "https://app.example";
    const guarded = await startRelay({ jwtSecret: SECRET, origins: [origin] });
    const tokens = await Promise.all(["alice", "bob", "mallory"].map((sub) => tokenFor({ sub })));
    const found = await Promise.all([
      brokenAt(targetAt(open.url), QUICK),
      brokenAt(targetAt(guarded.url, { tokens, origin }), QUICK),
    ]);
    expect(found).toEqual([[], []]);
  }, 60_000);
});

describe("on a relay in which one rule is broken on purpose", () => {
  it("[VERIFY-1] names that rule, and no bystander", async () => {
    const few = ["ROOM-1", "LIVE-1", "OWN-1", "OWN-2"];
    expect(await namedAt(few)).toEqual(namesItself(few));
  }, 60_000);
});

it("[VERIFY-2] tries what could harm a server only when asked for it", async () => {
  const { url } = await startRelay();
  const findings = await verify(targetAt(url), { only: ["WIRE-2", "LIMIT-1"] });
  expect(findings.map(({ judgement }) => judgement.verdict)).toEqual(findings.map(() => "untried"));
  expect(findings.length).toBeGreaterThan(3);
});

it("says which rule it has no check of, and that a server lets nobody in", async () => {
  await expect(verify(targetAt("ws://127.0.0.1:9"), {})).rejects.toThrow(/lets nobody in/);
  await expect(verify(targetAt("ws://127.0.0.1:9"), { only: ["NONE-1"] })).rejects.toThrow(/no check of NONE-1/);
});
