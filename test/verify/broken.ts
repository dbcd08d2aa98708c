/** What `verify` says of a server, and of relays in which one rule each is broken on purpose. */
import { yWebsocket } from "../../src/verify/peer/dialect.ts";
import type { Target } from "../../src/verify/scene.ts";
import { type VerifyOptions, verify } from "../../src/verify/verify.ts";
import { faultyRelay } from "./faulty-relay.ts";
import { consequences, faults } from "./faults.ts";

export const targetAt = (url: string, more: Partial<Target> = {}): Target => ({
  dialect: yWebsocket,
  base: new URL(url),
  prefix: "verify-",
  tokens: [],
  origin: null,
  ...more,
});

/** The rules that a server breaks, each once, and what is said of them. */
export async function brokenAt(
  target: Target,
  options: VerifyOptions,
): Promise<{ readonly rule: string; readonly what: string }[]> {
  const findings = await verify(target, options);
  return findings.flatMap(({ rule, title, judgement }) =>
    judgement.verdict === "broken" ? [{ rule, what: `${title}: ${judgement.seen}` }] : [],
  );
}

/** Rules of every kind that are tried besides: all of them with each fault would be a load of their own. */
const BYSTANDERS = ["ROOM-1", "USER-1", "LIVE-1", "OWN-1", "OWN-6"];
/** Checks that are over in this time, s. */
const WITHIN_SECONDS = 25;
/** So many relays are looked at at a time, as a busy machine serves at once. */
const AT_ONCE = 7;

/** For each rule, what `verify` names at a relay that breaks that rule on purpose. */
export async function namedAt(rules: readonly string[]): Promise<Record<string, string[]>> {
  const named = async (rule: string): Promise<[string, string[]]> => {
    const makeFault = faults[rule];
    if (makeFault === undefined) throw new Error(`there is no relay that breaks ${rule}`);
    const options = {
      withinSeconds: WITHIN_SECONDS,
      only: [...new Set([rule, ...BYSTANDERS])],
      abuse: rule === "WIRE-2",
    };
    const broken = new Set(
      (await brokenAt(targetAt(await faultyRelay(makeFault())), options)).map((each) => each.rule),
    );
    const besides = consequences[rule] ?? [];
    return [rule, [...broken].filter((each) => !besides.includes(each))];
  };
  const found: [string, string[]][] = [];
  for (let i = 0; i < rules.length; i += AT_ONCE)
    found.push(...(await Promise.all(rules.slice(i, i + AT_ONCE).map(named))));
  return Object.fromEntries(found);
}

/** What is expected of `namedAt`: each rule is named where it is broken, and no other. */
export function namesItself(rules: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(rules.map((rule) => [rule, [rule]]));
}
