/** Looks at a server from outside, as its clients do, and says which rules of SPEC.md it keeps. */
import { type Check, type Judgement, broken, untried } from "./check.ts";
import { checks } from "./checks/index.ts";
import { Scene, type Target, Untried } from "./scene.ts";

export interface Finding {
  readonly rule: string;
  readonly title: string;
  readonly judgement: Judgement;
}

export interface VerifyOptions {
  /** Whether to try what could harm a server. Default false. [VERIFY-2] */
  readonly abuse?: boolean;
  /** Only checks of these rules. Default: all. */
  readonly only?: readonly string[];
  /** Only checks that take no longer than this, s. Default: all. */
  readonly withinSeconds?: number;
  /** Told of each finding as it is there. */
  readonly onFinding?: (finding: Finding) => void;
}

/** How long after one another checks begin, ms: so many connections at once would be a flood. */
const STAGGER_MS = 40;

/**
 * Tries all checks on a server. Those that harm nothing run at the same time, each in a room of its own; the others after
 * them, one by one.
 *
 * @returns a finding for each check, in the order of the checks
 * @throws Error when the server lets nobody in
 */
export async function verify(target: Target, options: VerifyOptions = {}): Promise<readonly Finding[]> {
  const { only = [], abuse = false, withinSeconds = Infinity, onFinding } = options;
  const unknown = only.filter((rule) => checks.every((check) => check.rule !== rule));
  if (unknown.length > 0) throw new RangeError(`there is no check of ${unknown.join(", ")}`);
  await letsIn(target);
  const chosen = checks.filter(({ rule }) => only.length === 0 || only.includes(rule));
  const findings = new Map<Check, Finding>();
  const note = async (check: Check): Promise<void> => {
    const why = reasonNotToTry(check, target, abuse, withinSeconds);
    const judgement = why === null ? await tryOn(target, check) : untried(why);
    const finding = { rule: check.rule, title: check.title, judgement };
    findings.set(check, finding);
    onFinding?.(finding);
  };
  const gentle = chosen.filter((check) => check.abuse === null);
  await Promise.all(
    gentle.map(async (check, i) => {
      await pause(i * STAGGER_MS);
      await note(check);
    }),
  );
  for (const check of chosen) if (check.abuse !== null) await note(check);
  return chosen.flatMap((check) => findings.get(check) ?? []);
}

/** Why a check is left out; null: it is not. [VERIFY-5] */
function reasonNotToTry(check: Check, target: Target, abuse: boolean, withinSeconds: number): string | null {
  if (check.abuse !== null && !abuse) return `${check.abuse}: only with --abuse`;
  if (check.needs === "tokens" && target.tokens.length === 0) return "give the token of a client with --token";
  if (check.needs === "origin" && target.origin === null) return "give the origin of your pages with --origin";
  if (check.seconds > withinSeconds) return `it takes up to ${check.seconds} s`;
  return null;
}

async function tryOn(target: Target, check: Check): Promise<Judgement> {
  const scene = new Scene(target);
  let judgement: Judgement;
  try {
    judgement = await check.run(scene);
  } catch (error) {
    judgement = failed(error, check);
  } finally {
    scene.close();
  }
  if (check.abuse === null) return judgement;
  try {
    await letsIn(target);
    return judgement;
  } catch {
    return broken("the server is down, for everybody");
  }
}

function failed(error: unknown, check: Check): Judgement {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Untried || check.abuse === null) return untried(message);
  return broken(`others cannot connect any more: ${message}`);
}

/** Whether it lets somebody in. @throws Error with the reason if not */
async function letsIn(target: Target): Promise<void> {
  const scene = new Scene(target);
  try {
    await scene.enter("Alice");
  } catch (error) {
    throw new Error(`${target.base.href} lets nobody in: ${explained(error)}`, { cause: error });
  } finally {
    scene.close();
  }
}

function explained(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return message === "" ? (code ?? "no reason given") : message;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
