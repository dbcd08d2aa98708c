// in the language of the page, whatever the machine's
const relative = new Intl.RelativeTimeFormat("en-GB", { numeric: "always", style: "short" });

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/**
 * How long ago something was, in whole units that have passed: "3 hr ago". It counts time, never days of the calendar (no
 * "yesterday"), so that neither midnight nor summer time changes it.
 *
 * @param at and `now`: ms since the epoch; a moment that lies ahead of `now` is "just now"
 */
export function ago(at: number, now: number): string {
  const seconds = Math.floor((now - at) / 1000);
  if (seconds < 45) return "just now";
  if (seconds < HOUR_S) return relative.format(-Math.max(1, Math.floor(seconds / MINUTE_S)), "minute");
  if (seconds < DAY_S) return relative.format(-Math.floor(seconds / HOUR_S), "hour");
  return relative.format(-Math.floor(seconds / DAY_S), "day");
}
