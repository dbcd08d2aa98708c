/**
 * Two things that a backend may have done to all connections of a user, on all relays: they are closed and the user is refused for a
 * while (a kick), or they are asked for new tokens (a refresh). [BUS-33] [BUS-34]
 */
import type { Hub } from "../core/hub.ts";
import { FrameError, json } from "../../wire/index.ts";

/** Closes a user's connections. */
export interface Kick {
  readonly userId: string;
  /** The lobby, as a room, in which the user is meant; null: all. */
  readonly lobby: string | null;
  readonly code: number;
  readonly reason: string;
  /** For so long the user is refused from now on, ms; 0: not at all. */
  readonly forMs: number;
}

/** Asks a user's connections for new tokens. */
export type Refresh = Pick<Kick, "userId" | "lobby">;

/** A kick or a refresh, as another relay asks for it. */
export interface AskedKick {
  readonly said: Kick | Refresh;
  /** The number under which the other relay waits for the answer, how many connections there were; null: it wants no answer. */
  readonly id: number | null;
}

/** The longest that a user is refused: a year, ms. */
export const MAX_BAN_MS = 31_622_400_000;

/** How deep the JSON of such a message may be nested. */
const MAX_DEPTH = 3;
/** Of the codes that WebSocket has for itself, those that no connection is closed with. */
const NEVER_SENT: ReadonlySet<number> = new Set([1_004, 1_005, 1_006]);
const LAST_OF_ITS_OWN = 1_014;
const FIRST_OF_OTHERS = 3_000;
const MAX_CODE = 4_999;

/** Whether a connection can be closed with a code: a WebSocket throws for any other. */
export function isCloseCode(code: unknown): code is number {
  if (typeof code !== "number" || !Number.isInteger(code) || NEVER_SENT.has(code)) return false;
  return (code >= 1_000 && code <= LAST_OF_ITS_OWN) || (code >= FIRST_OF_OTHERS && code <= MAX_CODE);
}

/** Kicks a user from this relay. Returns how many connections were closed. [API-23] [API-24] */
export function kick(hub: Hub, { userId, lobby, code, reason, forMs }: Kick): number {
  if (forMs > 0) hub.bans.add(userId, lobby, { until: hub.clock.now() + forMs, code, reason });
  else hub.bans.remove(userId, lobby);
  const members = hub.membersOf(userId, lobby);
  for (const member of members) member.close(code, reason);
  return members.length;
}

export function writeKick(said: Kick | Refresh, id: number | null = null): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ ...said, ...(id !== null && { id }) }));
}

/** Throws `FrameError`. */
export function readKick(body: Uint8Array): AskedKick {
  const value = json(new TextDecoder().decode(body), MAX_DEPTH);
  if (typeof value !== "object" || value === null) throw new FrameError("a kick that is no object");
  const { userId, lobby, code, reason, forMs, id: asked } = value as Readonly<Record<string, unknown>>;
  if (typeof userId !== "string" || (typeof lobby !== "string" && lobby !== null))
    throw new FrameError("a kick without a user, or with a lobby that is no name");
  const id = typeof asked === "number" ? asked : null;
  if (code === undefined) return { said: { userId, lobby }, id };
  if (!isCloseCode(code) || typeof reason !== "string" || typeof forMs !== "number")
    throw new FrameError("a kick without a code, a reason or a time");
  return { said: { userId, lobby, code, reason, forMs: Math.min(forMs, MAX_BAN_MS) }, id };
}

/** The users who are refused here now, to tell a relay that is new. */
export function* kicksOf({ bans, clock }: Hub): Generator<Kick> {
  const now = clock.now();
  for (const { userId, lobby, ban } of bans.all(now)) {
    yield { userId, lobby, code: ban.code, reason: ban.reason, forMs: ban.until - now };
  }
}
