/** Users who are refused for a while, whatever token they bring. Pure but for its own list; `now` comes in. [API-24] */

export interface Ban {
  /** Monotonic ms. */
  readonly until: number;
  /** The close code, and what clients are told. */
  readonly code: number;
  readonly reason: string;
}

/** More are not kept at a time: those that end soonest go first. */
const MAX_BANS = 100_000;

export class Bans {
  readonly #bans = new Map<string, Ban>();

  /** @param lobby the lobby, as a room, in which the user is refused; null: in all */
  add(userId: string, lobby: string | null, ban: Ban): void {
    this.#bans.set(keyOf(userId, lobby), ban);
    if (this.#bans.size > MAX_BANS) this.#makeRoom(ban.until);
  }

  /** Ends a ban, if there is one. */
  remove(userId: string, lobby: string | null): void {
    this.#bans.delete(keyOf(userId, lobby));
  }

  /** The ban of a user in a lobby; null: there is none. */
  of(userId: string, lobby: string, now: number): Ban | null {
    if (this.#bans.size === 0) return null;
    return this.#current(keyOf(userId, lobby), now) ?? this.#current(keyOf(userId, null), now);
  }

  /** All that are not over. */
  *all(now: number): Generator<{ readonly userId: string; readonly lobby: string | null; readonly ban: Ban }> {
    for (const [key, ban] of this.#bans) {
      const [lobby = "", ...userId] = key.split("\n");
      if (ban.until > now) yield { userId: userId.join("\n"), lobby: lobby === "" ? null : lobby, ban };
    }
  }

  /** Forgets those that are over. */
  sweep(now: number): void {
    for (const [key, { until }] of this.#bans) if (until <= now) this.#bans.delete(key);
  }

  #current(key: string, now: number): Ban | null {
    const ban = this.#bans.get(key);
    return ban !== undefined && ban.until > now ? ban : null;
  }

  #makeRoom(latest: number): void {
    let first: string | undefined;
    let soonest = latest;
    for (const [key, { until }] of this.#bans) {
      if (until > soonest) continue;
      soonest = until;
      first = key;
    }
    if (first !== undefined) this.#bans.delete(first);
  }
}

function keyOf(userId: string, lobby: string | null): string {
  return `${lobby ?? ""}\n${userId}`;
}
