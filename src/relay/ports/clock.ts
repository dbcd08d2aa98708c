/** What the relay knows of time. */
export interface Clock {
  /** ms since some moment of the past. It only goes forward: for durations and deadlines. "Never" is `-Infinity`. */
  now(): number;
  /** ms since the epoch, as people read it. It may be set back or forward at any time: only for what is shown. */
  wall(): number;
}

export const systemClock: Clock = {
  // both are looked up at each call, so that tests can replace them
  now: () => performance.now(),
  wall: () => Date.now(),
};

/** What the wall clock, as it is set now, would have shown at the moment `at` of the clock that only goes forward. */
export function wallTimeOf(at: number, clock: Clock): number {
  return Math.round(clock.wall() - (clock.now() - at));
}

/** Dates what happens. */
export interface DatingClock {
  /** ms since the epoch: what happens later is never dated earlier. */
  date(): number;
  /** Another relay has dated something so: what this one dates from now on is not earlier. [BUS-28] */
  follow(date: number): void;
  /**
   * What the wall clock would show if nobody had set it since the relay was started, ms since the epoch; and not less than other
   * relays have told. [BUS-28]
   */
  steady(): number;
}

/** A relay whose clock is further ahead is not followed, ms. */
export const MAX_AHEAD_MS: number = 24 * 3_600_000;

/**
 * Dates by the wall clock, but for what it was set back since, and by those of other relays that are ahead of it. People's
 * choices are ordered by it, and the connections of a session. [TIME-4]
 */
export function datingClock(clock: Clock): DatingClock {
  const startMs = clock.wall() - clock.now();
  let offsetMs = -Infinity;
  let followedMs = -Infinity;
  return {
    date() {
      const now = clock.now();
      offsetMs = Math.max(offsetMs, followedMs, clock.wall() - now);
      return Math.floor(now + offsetMs);
    },
    follow(date) {
      if (date - clock.wall() <= MAX_AHEAD_MS) followedMs = Math.max(followedMs, date - clock.now());
    },
    steady: () => Math.floor(clock.now() + Math.max(startMs, followedMs)),
  };
}

/** How long the relay has not run, when what was due at a time happens only now; 0: it is merely busy. */
export function stallOf(dueAt: number, now: number): number {
  return now - dueAt >= STALL_MS ? now - dueAt : 0;
}

/** Later than this nothing happens on a machine that is only busy, ms. */
const STALL_MS = 1_000;
