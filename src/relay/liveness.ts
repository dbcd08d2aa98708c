/** Whether a connection still has a network. Pure. */
export interface Liveness {
  /** The last pong or message, ms since the epoch. */
  readonly lastSeen: number;
  /** When it was asked for a sign of life that has not come yet. */
  readonly pingedAt: number | null;
}

export type LivenessStep = "wait" | "ping" | "dead";

/**
 * What to do about a connection now, when the next look comes `within` ms: rather a little early than late, so that a
 * dead one is given up at most `pingInterval + pingTimeout` after its last sign of life.
 */
export function nextStep(
  { lastSeen, pingedAt }: Liveness,
  now: number,
  within: number,
  { pingInterval, pingTimeout }: { readonly pingInterval: number; readonly pingTimeout: number },
): LivenessStep {
  const next = now + within;
  if (pingedAt === null) return next > lastSeen + pingInterval ? "ping" : "wait";
  return next > pingedAt + pingTimeout ? "dead" : "wait";
}

/** How often to look: often enough to keep the bounds, seldom enough to cost nothing. */
export function sweepInterval(options: { readonly pingInterval: number; readonly pingTimeout: number }): number {
  return Math.min(250, Math.max(5, Math.floor(Math.min(options.pingInterval, options.pingTimeout) / 20)));
}
