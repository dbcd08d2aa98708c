/** The people of a room. They are counted while somebody on the server side listens. A lobby counts its own people. */
import type { PresentEntry, Register } from "../../awareness/index.ts";
import { type Report, Sessions } from "../../lobby/index.ts";
import type { PresenceEvent, User } from "../../presence/index.ts";
import { isLobby } from "../../wire/index.ts";
import { type Clock, wallTimeOf } from "../ports/clock.ts";

export class RoomPeople {
  readonly #room: string;
  readonly #register: Register;
  readonly #clock: Clock;
  /** null: nobody listens. */
  #people: Sessions<PresentEntry> | null = null;

  constructor(room: string, register: Register, clock: Clock) {
    this.#room = room;
    this.#register = register;
    this.#clock = clock;
  }

  /** Who is present, as others see them, by user id. */
  get users(): ReadonlyMap<string, User> {
    if (this.#people !== null) return this.#people.users;
    const people = this.#countAll();
    people.flush(this.#clock.wall());
    return people.users;
  }

  /** The same, as if there were only the connections that count in one lobby. [API-10] */
  usersIn(lobby: string): ReadonlyMap<string, User> {
    let isMixed = false;
    for (const entry of this.#register.present()) isMixed ||= entry.lobby !== lobby;
    if (!isMixed) return this.users;
    const people = new Sessions<PresentEntry>(this.#room);
    this.countInto(people, (entry) => entry.lobby === lobby);
    people.flush(this.#clock.wall());
    return people.users;
  }

  /** The lobby that a user counts in here; null: several, or none. */
  lobbyOf(userId: string): string | null {
    let lobby: string | null = null;
    for (const entry of this.#register.present()) {
      if (!entry.visible || entry.claim.user.id !== userId) continue;
      if (lobby !== null && lobby !== entry.lobby) return null;
      lobby = entry.lobby;
    }
    return lobby;
  }

  /** Adds the people who are here and may be seen to people of other rooms. */
  countInto(people: Sessions<object>, counts: (entry: PresentEntry) => boolean): void {
    for (const entry of this.#register.present()) {
      if (entry.visible && counts(entry)) people.set(entry, reportOf(entry), this.sinceOf(entry));
    }
  }

  /** When the status of an entry's session last changed, ms since the epoch; now, where nobody has listened so far. */
  sinceOf({ claim }: PresentEntry): number {
    const sessions = this.#people?.users.get(claim.user.id)?.sessions ?? [];
    return sessions.find(({ id }) => id === claim.session.id)?.since ?? this.#clock.wall();
  }

  /** Counts the people from now on, or counts them no more. */
  observe(isObserved: boolean): void {
    if (isObserved === (this.#people !== null)) return;
    this.#people = isObserved ? this.#countAll() : null;
    // who is here already does not come
    this.#people?.flush(this.#clock.wall());
  }

  /** Counts an entry, if others may see it. Returns whether that is news. */
  count(entry: PresentEntry): boolean {
    if (this.#people === null) return false;
    const wall = this.#clock.wall();
    if (entry.visible) return this.#people.set(entry, reportOf(entry), wall);
    this.#people.delete(entry, wall, wall);
    return false;
  }

  left(entry: PresentEntry): void {
    this.#people?.delete(entry, wallTimeOf(entry.lastSeen, this.#clock), this.#clock.wall());
  }

  /** What changed since the last flush. */
  flush(): readonly PresenceEvent[] {
    return this.#people?.flush(this.#clock.wall()) ?? [];
  }

  #countAll(): Sessions<PresentEntry> {
    const people = new Sessions<PresentEntry>(this.#room);
    this.countInto(people, () => true);
    return people;
  }
}

/** What an entry says to a lobby, or to the people of a room. */
export function reportOf(entry: PresentEntry): Report {
  const { fields } = entry.publishedState;
  return {
    room: isLobby(entry.room) ? null : entry.room,
    claim: entry.claim,
    connected: entry.phase === "live" && entry.remote?.mark !== "reconnecting",
    silent: entry.remote === null ? (entry.owner?.silent ?? false) : entry.remote.mark === "silent",
    bytes: (fields.get("user")?.length ?? 0) + (fields.get("copresence")?.length ?? 0),
  };
}
