/** Users who are refused for a while, whatever token they bring. Pure but for its own list; `now` comes in. [API-24] */
import { keyOf } from "../../util/key.ts";

export interface Ban {
  /** Monotonic ms. */
  readonly until: number;
  /** The close code, and what clients are told. */
  readonly code: number;
  readonly reason: string;
}

/** A ban, and whose it is. */
interface BannedUser {
  readonly userId: string;
  /** The lobby, as a room, in which the user is refused; null: in all. */
  readonly lobby: string | null;
  readonly ban: Ban;
}

/** At most this many are kept at a time: of more, those that end soonest go first. */
const MAX_BANS = 100_000;

export class Bans {
  readonly #bans = new Map<string, BannedUser>();

  /** @param lobby the lobby, as a room, in which the user is refused; null: in all */
  add(userId: string, lobby: string | null, ban: Ban): void {
    this.#bans.set(banKey(userId, lobby), { userId, lobby, ban });
    if (this.#bans.size > MAX_BANS) this.#makeRoom(ban.until);
  }

  /** Ends a ban, if there is one. */
  remove(userId: string, lobby: string | null): void {
    this.#bans.delete(banKey(userId, lobby));
  }

  /** The ban of a user in a lobby; null: there is none. */
  of(userId: string, lobby: string, now: number): Ban | null {
    if (this.#bans.size === 0) return null;
    return this.#current(banKey(userId, lobby), now) ?? this.#current(banKey(userId, null), now);
  }

  /** All that are not over. */
  *all(now: number): Generator<BannedUser> {
    for (const each of this.#bans.values()) if (each.ban.until > now) yield each;
  }

  /** Forgets those that are over. */
  sweep(now: number): void {
    for (const [key, { ban }] of this.#bans) if (ban.until <= now) this.#bans.delete(key);
  }

  #current(key: string, now: number): Ban | null {
    const ban = this.#bans.get(key)?.ban;
    return ban !== undefined && ban.until > now ? ban : null;
  }

  #makeRoom(latest: number): void {
    let first: string | undefined;
    let soonest = latest;
    for (const [key, { ban }] of this.#bans) {
      if (ban.until > soonest) continue;
      soonest = ban.until;
      first = key;
    }
    if (first !== undefined) this.#bans.delete(first);
  }
}

/** No lobby has the empty name. */
function banKey(userId: string, lobby: string | null): string {
  return keyOf(lobby ?? "", userId);
}
