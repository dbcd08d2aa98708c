/**
 * The roster: the people of one place as an observer sees them. A store with an immutable snapshot, and the events that
 * lead from one snapshot to the next.
 */
import {
  Emitter,
  type JoinEvent,
  type JsonObject,
  type LeaveEvent,
  People,
  type PresenceEvent,
  type Status,
  type Unsubscribe,
  type UpdateEvent,
  type User,
  compareTexts,
} from "../../presence/index.ts";
import { SortedList } from "./sorted.ts";

/**
 * How far a roster can be believed. `connecting`: nothing is known yet. `live`: it is as the relay has it. `stale`: the
 * observer's own connection is down, and this is how things were; nobody is said to have left because of it. `refused`: the
 * relay will not have the observer here, for good; `refusal` says why.
 */
export type RosterStatus = "connecting" | "live" | "stale" | "refused";

/** Immutable, and the same object for as long as nothing in it changed. */
export interface RosterSnapshot<Meta = JsonObject> {
  readonly status: RosterStatus;
  /** Why the relay refused this place for good, while `status` is `refused`; else null. */
  readonly refusal: Refusal | null;
  /** The first snapshot has arrived. */
  readonly synced: boolean;
  /** Everyone present and oneself (whatever one's status), by name. */
  readonly users: readonly User<Meta>[];
  readonly self: User<Meta> | null;
  /** In a lobby, those who left, the last first; elsewhere empty. */
  readonly recent: readonly User<Meta>[];
}

export interface RosterEvents<Meta = JsonObject> {
  readonly join: JoinEvent<Meta>;
  readonly leave: LeaveEvent<Meta>;
  readonly update: UpdateEvent<Meta>;
  /** All three. */
  readonly event: PresenceEvent<Meta>;
  /** Once, with all who were there first: instead of a join for each. */
  readonly synced: RosterSnapshot<Meta>;
  readonly status: RosterStatus;
  /** The relay refused this place for good (4400–4499). `refusal` keeps it. */
  readonly refused: Refusal;
  /**
   * Something is wrong that the client cannot mend by itself, in words for a person who can: there is no relay at the address,
   * it is full, a state is too large to be sent. Told once, not at each attempt. Of the lobby also what the token function
   * throws, each time.
   */
  readonly error: unknown;
}

export interface Refusal {
  /** The close code. */
  readonly code: number;
  readonly reason: string;
}

export interface Roster<Meta = JsonObject> {
  /** The room, or the lobby's (`@lobby`, `@lobby/<name>`). */
  readonly roomId: string;
  readonly status: RosterStatus;
  /** Why the relay refused this place for good, while `status` is `refused`; else null. */
  readonly refusal: Refusal | null;
  readonly synced: boolean;
  readonly users: readonly User<Meta>[];
  /** How many `users` there are. */
  readonly count: number;
  /** How many of them have each status; 0 is not listed. */
  readonly counts: StatusCounts;
  readonly self: User<Meta> | null;
  /** Whether a user is among `users`. */
  has(userId: string): boolean;
  /** A user who is present or, in a lobby, left lately (`status: "offline"`). */
  get(userId: string): User<Meta> | undefined;
  getSnapshot(): RosterSnapshot<Meta>;
  /** Calls back after each change of the snapshot. */
  subscribe(listener: () => void): Unsubscribe;
  on<K extends keyof RosterEvents<Meta>>(type: K, listener: (event: RosterEvents<Meta>[K]) => void): Unsubscribe;
}

/** How many users have each status. */
export type StatusCounts = Readonly<Partial<Record<Status, number>>>;

const TYPES = ["synced", "join", "leave", "update", "event", "status", "refused", "error", "change"] as const;

const collator = new Intl.Collator();

/** The roster's writing side: claims in, snapshots and events out. */
export class RosterStore<Meta> implements Roster<Meta> {
  readonly roomId: string;
  /** Whose claims go in here. */
  protected readonly people: People<Meta>;
  readonly #emitter = new Emitter<RosterEvents<Meta> & { change: null }>(TYPES);
  readonly #recent = new Map<string, User<Meta>>();
  #status: RosterStatus = "connecting";
  /** Why the relay refused this place. */
  ownRefusal: Refusal | null = null;
  /** The relay cannot hear others: what is known of people there may be old. */
  isPartial = false;
  #synced = false;
  /** Somebody listens for the first snapshot. If nobody does it is not made: to sort ten thousand people holds up a page. */
  #tellsSynced = false;
  /** Something in the snapshot changed, besides the users and the status. */
  protected isNews = false;
  // each is made when it is asked for, and is the same object until something in it changes [ROSTER-4]
  #snapshot: RosterSnapshot<Meta> | undefined;
  readonly #sorted = new SortedList<User<Meta>>(byName);
  readonly #sortedRecent = new SortedList<User<Meta>>((a, b) => b.lastSeen - a.lastSeen || compareTexts(a.id, b.id));
  #counts: StatusCounts = {};

  constructor(roomId: string, selfId?: string) {
    this.roomId = roomId;
    this.people = new People<Meta>(roomId, { selfId, onView: (...change) => this.viewChanged(...change) });
  }

  get status(): RosterStatus {
    return this.#status;
  }

  get refusal(): Refusal | null {
    return this.ownRefusal;
  }

  get synced(): boolean {
    return this.#synced;
  }

  get users(): readonly User<Meta>[] {
    return this.getSnapshot().users;
  }

  get self(): User<Meta> | null {
    return this.getSnapshot().self;
  }

  get count(): number {
    return this.people.users.size;
  }

  get counts(): StatusCounts {
    return this.#counts;
  }

  has(userId: string): boolean {
    return this.people.users.has(userId);
  }

  get(userId: string): User<Meta> | undefined {
    return this.people.users.get(userId) ?? this.#recent.get(userId);
  }

  // these two are bound, for hooks that take them as they are
  readonly getSnapshot = (): RosterSnapshot<Meta> => {
    this.#snapshot ??= Object.freeze(this.makeSnapshot());
    return this.#snapshot;
  };

  readonly subscribe = (listener: () => void): Unsubscribe => this.#emitter.on("change", listener);

  on<K extends keyof RosterEvents<Meta>>(type: K, listener: (event: RosterEvents<Meta>[K]) => void): Unsubscribe {
    this.#tellsSynced ||= type === "synced";
    return this.#emitter.on(type, listener);
  }

  setRecent(userId: string, user: User<Meta> | undefined): void {
    const before = this.#recent.get(userId);
    if (before?.lastSeen === user?.lastSeen) return;
    if (user === undefined) this.#recent.delete(userId);
    else this.#recent.set(userId, user);
    this.#sortedRecent.change(userId, before, user);
    this.isNews = true;
  }

  /**
   * Publishes what went in since the last flush.
   *
   * @param status the roster's from now on; the first time `live` is the moment of `synced`
   * @param isHeard whether what changed of people is told as events
   */
  flush(status: RosterStatus = this.#status, isHeard = true): void {
    // before the first snapshot nothing is announced [ROSTER-1]; a guest who says who they are has not left in their own
    // eyes [ROSTER-7]
    const wasSynced = this.#synced;
    const events = this.people
      .flush(Date.now(), wasSynced && isHeard)
      .filter(({ type, user }) => type !== "leave" || !user.self);
    const shown = status === "live" && this.isPartial ? "stale" : status;
    const statusChanged = shown !== this.#status;
    this.#status = shown;
    this.#synced ||= status === "live";
    if (!statusChanged && !this.people.changed && !this.isNews) return;
    this.isNews = false;
    this.#snapshot = undefined;

    // a listener that looks at the roster from within an event sees it as it is after all of them
    for (const event of events) {
      this.#emitter.emit("event", event);
      this.#emitter.emit(event.type, event);
    }
    // [ROSTER-1]
    if (!wasSynced && this.#synced && this.#tellsSynced) this.#emitter.emit("synced", this.getSnapshot());
    if (statusChanged) this.#emitter.emit("status", shown);
    this.#emitter.emit("change", null);
  }

  /** Tells the listeners of an event something that changes nothing in the snapshot. */
  tell<K extends "refused" | "error">(type: K, event: RosterEvents<Meta>[K]): void {
    this.#emitter.emit(type, event as (RosterEvents<Meta> & { change: null })[K]);
  }

  clear(): void {
    this.#emitter.clear();
  }

  /** A user changed, came or went. [ROSTER-9] */
  protected viewChanged(userId: string, before: User<Meta> | undefined, after: User<Meta> | undefined): void {
    this.#sorted.change(userId, before, after);
    if (before?.status === after?.status) return;
    const counts: Partial<Record<Status, number>> = { ...this.#counts };
    if (after !== undefined) counts[after.status] = (counts[after.status] ?? 0) + 1;
    if (before !== undefined) {
      const left = (counts[before.status] ?? 1) - 1;
      if (left > 0) counts[before.status] = left;
      else delete counts[before.status];
    }
    this.#counts = Object.freeze(counts);
  }

  protected makeSnapshot(): RosterSnapshot<Meta> {
    const { users, selfId } = this.people;
    return {
      status: this.#status,
      refusal: this.refusal,
      synced: this.#synced,
      users: this.#sorted.items,
      self: users.get(selfId ?? "") ?? null,
      recent: this.#sortedRecent.items,
    };
  }
}

/** By name, and of one name by id. */
export function byName(a: User<unknown>, b: User<unknown>): number {
  return collator.compare(a.name ?? a.id, b.name ?? b.id) || compareTexts(a.id, b.id);
}
