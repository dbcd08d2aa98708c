/** Checks that have to wait for as long as people would: for what browsers and providers do after half a minute. */
import { expect, it } from "vitest";
import { yWebsocket } from "../../src/verify/peer/dialect.ts";
import { verify } from "../../src/verify/verify.ts";
import { SECRET, tokenFor } from "../relay/tokens.ts";
import { startRelay } from "../support.ts";
import { brokenAt as allBrokenAt, namedAt, namesItself, targetAt } from "./broken.ts";
import { type Fault, entriesIn, faultyRelay } from "./faulty-relay.ts";
import { faults } from "./faults.ts";

const PATIENT = ["LIVE-4", "LIVE-5", "LIVE-8", "OWN-4"];

async function brokenAt(url: string) {
  const target = { dialect: yWebsocket, base: new URL(url), prefix: "verify-", tokens: [], origin: null };
  const findings = await verify(target, { only: PATIENT, withinSeconds: 50 });
  return [...new Set(findings.flatMap(({ rule, judgement }) => (judgement.verdict === "kept" ? [] : [rule])))];
}

/** Neither signs of life nor renewals go out: only what is news. */
function onlyNews(): Fault {
  const told = new Map<string, string>();
  return {
    outbound(message, room) {
      if (message[0] !== 1) return [message];
      const entries = entriesIn(message);
      const news = entries.filter(({ id, state }) => {
        const text = state === null ? "null" : Buffer.from(state).toString();
        const isNews = told.get(`${room} ${id}`) !== text;
        told.set(`${room} ${id}`, text);
        return isNews;
      });
      return news.length === 0 ? [] : [message];
    },
  };
}

it("[VERIFY-1] finds nothing on ours, and the rules that a relay breaks which says only what is news", async () => {
  const { url } = await startRelay();
  const faulty = await faultyRelay(onlyNews());
  const never = await faultyRelay({ options: { pingInterval: 3_600_000 } });
  const [ours, silent, deaf] = await Promise.all([brokenAt(url), brokenAt(faulty), brokenAt(never)]);
  expect(ours).toEqual([]);
  expect(silent).toEqual(expect.arrayContaining(["LIVE-5", "LIVE-8"]));
  expect(deaf).toEqual(["LIVE-4"]);
}, 70_000);

it("[VERIFY-1] finds nothing on ours with all that is over within 25 s, also where tokens and an origin are asked for", async () => {
  const open = await startRelay();
  const origin = "https://app.example";
  const guarded = await startRelay({ jwtSecret: SECRET, origins: [origin] });
  const tokens = await Promise.all(["alice", "bob", "mallory"].map((sub) => tokenFor({ sub })));
  const options = { withinSeconds: 25 };
  const found = await Promise.all([
    allBrokenAt(targetAt(open.url), options),
    allBrokenAt(targetAt(guarded.url, { tokens, origin }), options),
  ]);
  expect(found).toEqual([[], []]);
}, 60_000);

it("[VERIFY-1] on a relay in which one rule is broken on purpose, names that rule and no bystander", async () => {
  const rules = Object.keys(faults);
  expect(await namedAt(rules)).toEqual(namesItself(rules));
}, 120_000);

it("finds nothing on ours with what could harm another either", async () => {
  const { url } = await startRelay();
  const only = ["WIRE-2", "WIRE-5", "OWN-10", "LIMIT-1"];
  expect(await allBrokenAt(targetAt(url), { only, abuse: true })).toEqual([]);
}, 90_000);
