/** Why something is shown as it is: one fact, the rule of SPEC.md by which it counts, and since when. */
export interface Reason {
  /** The rule, `ACT-2`. */
  readonly rule: string;
  /** The fact, in words. */
  readonly text: string;
  /** Since when, or when, ms since the epoch; null: that is not known. */
  readonly at: number | null;
}

export function reason(rule: string, text: string, at: number | null = null): Reason {
  return { rule, text, at };
}

/** A reason as one line: `12:04: away: hidden for 45 s, … [ACT-2]`. @param time how a time is written; default: hours and minutes here */
export function lineOf({ rule, text, at }: Reason, time: (at: number) => string = hoursAndMinutes): string {
  return `${at === null ? "" : `${time(at)}: `}${text} [${rule}]`;
}

function hoursAndMinutes(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
