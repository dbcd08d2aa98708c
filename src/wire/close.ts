// by themselves, for the client, which need not carry the others
/** An explicit leave. */
export const NORMAL = 1000;
/** The page goes away: closed, reloaded, or navigated. */
export const GOING_AWAY = 1001;
export const MALFORMED = 4400;
/** Nothing at all was heard: what a WebSocket says of itself that was cut off, or never was one. */
export const ABNORMAL = 1006;
export const NOT_AUTHENTICATED = 4401;
export const TOO_LARGE = 4413;
export const EXPIRED = 4501;
export const TIMED_OUT = 4504;

/**
 * Why a connection ends. y-websocket 3.1 never reconnects after 4400–4499, so those mean "for good"; what waiting can
 * mend is 45xx or one of the standard codes.
 */
export const Close = {
  normal: NORMAL as typeof NORMAL,
  goingAway: GOING_AWAY as typeof GOING_AWAY,
  /** The relay failed in a way that nobody has foreseen; come back. */
  internal: 1011,
  /** The relay stops or restarts; come back. */
  restart: 1012,
  malformed: MALFORMED as typeof MALFORMED,
  notAuthenticated: NOT_AUTHENTICATED as typeof NOT_AUTHENTICATED,
  notAllowed: 4403,
  tooLarge: TOO_LARGE as typeof TOO_LARGE,
  tokenExpired: EXPIRED as typeof EXPIRED,
  overloaded: 4503,
  /** No sign of life within the ping time-out. */
  timedOut: TIMED_OUT as typeof TIMED_OUT,
  tooSlow: 4508,
  tooManyMessages: 4529,
} as const;

/** Whether a client that was closed with this code should not come back. [LIVE-7] */
export function isFinal(code: number): boolean {
  return code >= 4400 && code < 4500;
}
