/** Whether a connection still has a network. Pure; times are ms of the clock that only goes forward. [TIME-1] */
export interface Liveness {
  /** When the last pong or message came. */
  readonly lastSeen: number;
  /** When to ask for the next one, at the latest. */
  readonly pingBy: number;
  /** When it was asked for a sign of life that has not come yet. */
  readonly pingedAt: number | null;
}

/** A connection that has just given a sign of life. */
export function aliveAt(now: number, { pingInterval }: { readonly pingInterval: number }): Liveness {
  return { lastSeen: now, pingBy: now + pingInterval, pingedAt: null };
}

/**
 * A connection that has just opened. Many open together, after a restart: that they are not asked together ever after,
 * each is asked for the first time at a moment of its own.
 *
 * @param chance from 0 to 1
 */
export function openedAt(now: number, chance: number, options: { readonly pingInterval: number }): Liveness {
  return { ...aliveAt(now, options), pingBy: now + chance * options.pingInterval };
}

/** The relay itself has not run for so long: what was said meanwhile has yet to be read. [TIME-3] */
export function afterStall(liveness: Liveness, stalledMs: number): Liveness {
  const { pingedAt } = liveness;
  return pingedAt === null ? liveness : { ...liveness, pingedAt: pingedAt + stalledMs };
}

export type LivenessStep = "wait" | "ping" | "dead";

/**
 * What to do about a connection now, when the next look comes `within` ms: rather a little early than late, so that a
 * dead one is given up at most `pingInterval + pingTimeout` after its last sign of life. [LIVE-4]
 */
export function nextStep(
  { pingBy, pingedAt }: Liveness,
  now: number,
  within: number,
  { pingTimeout }: { readonly pingTimeout: number },
): LivenessStep {
  const next = now + within;
  if (pingedAt === null) return next > pingBy ? "ping" : "wait";
  return next > pingedAt + pingTimeout ? "dead" : "wait";
}

/** How often to look: often enough to keep the bounds, seldom enough to cost nothing. */
export function sweepInterval(options: { readonly pingInterval: number; readonly pingTimeout: number }): number {
  return Math.min(250, Math.max(5, Math.floor(Math.min(options.pingInterval, options.pingTimeout) / 20)));
}
