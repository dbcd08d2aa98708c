/**
 * What the activity of a page says of its user: `online` or `away`. Pure; time comes in as `now`.
 */
import type { AutoStatus } from "./state.ts";

/** All in milliseconds. */
export interface ActivityPolicy {
  /** Hidden for this long: away. Default 45 000; a quick look at another tab changes nothing. */
  readonly hiddenMs: number;
  /** The same on a phone or tablet, whose page will soon be suspended. Default 15 000. */
  readonly mobileHiddenMs: number;
  /** Visible without input for this long: away. Default 300 000. */
  readonly idleMs: number;
}

export const defaultActivityPolicy: ActivityPolicy = { hiddenMs: 45_000, mobileHiddenMs: 15_000, idleMs: 300_000 };

export interface Activity {
  readonly page: "visible" | "hidden";
  /** Since when the page is hidden, or when its user last did something. ms since the epoch. */
  readonly at: number;
  /** When the user of a page that was hidden had last done something before. */
  readonly input?: number;
}

export type ActivitySignal = "hidden" | "visible" | "input";

/** The activity after a signal. Becoming visible counts as input; input on a hidden page says nothing. [ACT-3] */
export function onSignal(activity: Activity, signal: ActivitySignal, now: number): Activity {
  if (signal === "visible" || activity.page === "visible") {
    return signal === "hidden" ? { page: "hidden", at: now, input: activity.at } : { page: "visible", at: now };
  }
  return activity;
}

/** When the activity, left alone, becomes `away`: ms since the epoch. [ACT-2] */
export function awayAt(activity: Activity, policy: ActivityPolicy, mobile: boolean): number {
  const { page, at, input = at } = activity;
  const idle = input + policy.idleMs;
  // who was away before does not come back because the screen went dark
  if (page === "visible" || idle <= at) return idle;
  return at + (mobile ? policy.mobileHiddenMs : policy.hiddenMs);
}

/** The status that the activity comes to, if nothing happens until then. [ACT-1] */
export function statusAt(activity: Activity, policy: ActivityPolicy, mobile: boolean, now: number): AutoStatus {
  return now >= awayAt(activity, policy, mobile) ? "away" : "online";
}
