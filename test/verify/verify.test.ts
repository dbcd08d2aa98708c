/** What `copresence verify` finds: nothing on our relay, and on a relay with one rule broken, that rule. */
import { describe, expect, it } from "vitest";
import { yWebsocket } from "../../src/verify/peer/dialect.ts";
import type { Target } from "../../src/verify/scene.ts";
import { type VerifyOptions, verify } from "../../src/verify/verify.ts";
import { tokenFor, SECRET } from "../relay/tokens.ts";
import { startRelay } from "../support.ts";
import { type Fault, faultyRelay } from "./faulty-relay.ts";
import { consequences, faults } from "./faults.ts";

const targetAt = (url: string, more: Partial<Target> = {}): Target => ({
  dialect: yWebsocket,
  base: new URL(url),
  prefix: "verify-",
  tokens: [],
  origin: null,
  ...more,
});

/** The rules that a server breaks, each once, and what is said of them. */
async function brokenAt(target: Target, options: VerifyOptions) {
  const findings = await verify(target, options);
  return findings.flatMap(({ rule, title, judgement }) =>
    judgement.verdict === "broken" ? [{ rule, what: `${title}: ${judgement.seen}` }] : [],
  );
}

/** Checks that are over in this time, s; what takes longer is in patient.test.ts. */
const QUICK = { withinSeconds: 25 };
/** So many relays are looked at at a time. */
const AT_ONCE = 7;

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

  it("finds nothing with what could harm another either", async () => {
    const { url } = await startRelay();
    const only = ["WIRE-2", "WIRE-5", "WIRE-11", "OWN-10", "DOC-1", "LIMIT-1"];
    expect(await brokenAt(targetAt(url), { only, abuse: true })).toEqual([]);
  }, 90_000);
});

/** Rules of every kind that are tried besides: all of them with each fault would be a load of their own. */
const BYSTANDERS = ["ROOM-1", "USER-1", "LIVE-1", "OWN-1", "OWN-6"];

describe("on a relay in which one rule is broken on purpose", () => {
  const named = async ([rule, makeFault]: [string, () => Fault]) => {
    const target = targetAt(await faultyRelay(makeFault()));
    const options = { ...QUICK, only: [...new Set([rule, ...BYSTANDERS])], abuse: rule === "WIRE-2" };
    const broken = new Set((await brokenAt(target, options)).map((each) => each.rule));
    const besides = consequences[rule] ?? [];
    return [rule, [...broken].filter((each) => !besides.includes(each))] as const;
  };

  it("[VERIFY-1] names that rule, and no bystander", async () => {
    const all = Object.entries(faults);
    const found = [];
    // so many at a time as a busy machine serves at once
    for (let i = 0; i < all.length; i += AT_ONCE)
      found.push(...(await Promise.all(all.slice(i, i + AT_ONCE).map(named))));
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(Object.keys(faults).map((rule) => [rule, [rule]])));
  }, 120_000);
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
