/**
 * The people of one place, counted by reference: a user is there while at least one of their sessions is. [USER-1]
 *
 * Claims go in as they come; `flush` recomputes only the users that were touched and says what changed, so that a join
 * and a leave alternate and nothing unchanged is repeated. No effects, no clock.
 */
import { equal } from "../util/equal.ts";
import { type PresenceEvent, diffUser, isPresent, updateOf } from "./roster.ts";
import type { Claim, JsonObject, ManualChoice } from "./state.ts";
import { type User, departed, newestManual, userOf } from "./user.ts";

interface Person<Meta> {
  claims: Map<PropertyKey, Claim<Meta>>;
  view: User<Meta> | undefined;
  /** When the last claim to go was last known to be alive; Infinity: at the flush to come. */
  lastSeen: number;
}

/** Told of each user whose view a flush changed: undefined where the user is not there. */
export type OnView<Meta> = (userId: string, before: User<Meta> | undefined, after: User<Meta> | undefined) => void;

const NONE: ReadonlyMap<PropertyKey, never> = new Map<PropertyKey, never>();

export class People<Meta = JsonObject> {
  readonly roomId: string;
  /** The observer's own user id: always shown to themselves, whatever others see. */
  selfId: string | undefined;
  readonly #owners = new Map<PropertyKey, string>();
  readonly #persons = new Map<string, Person<Meta>>();
  readonly #touched = new Set<string>();
  readonly #users = new Map<string, User<Meta>>();
  readonly #onView: OnView<Meta> | undefined;
  #changed = false;

  constructor(roomId: string, options: { readonly selfId?: string | undefined; readonly onView?: OnView<Meta> } = {}) {
    this.roomId = roomId;
    this.selfId = options.selfId;
    this.#onView = options.onView;
  }

  /** Everyone present at the last flush, by user id. */
  get users(): ReadonlyMap<string, User<Meta>> {
    return this.#users;
  }

  /** Whether the last flush changed `users`, be it without an event. */
  get changed(): boolean {
    return this.#changed;
  }

  /** Adds or replaces the claim under a key (a connection, or a session). */
  set(key: PropertyKey, claim: Claim<Meta>): void {
    const userId = claim.user.id;
    const owner = this.#owners.get(key);
    // the user who spoke under this key before was alive until now, when somebody else speaks under it [USER-7]
    if (owner !== undefined && owner !== userId) this.delete(key, Infinity);
    const person = this.#person(userId);
    const known = person.claims.get(key);
    if (known !== undefined && equal(known, claim)) return;
    person.claims.set(key, claim);
    this.#owners.set(key, userId);
    this.#touched.add(userId);
  }

  /**
   * @param lastSeen when the claim was last known to be alive, ms since the epoch
   * @param now by the clock that dates `lastSeen`: what is later was dated before that clock was set back [TIME-1]
   */
  delete(key: PropertyKey, lastSeen: number, now: number = Infinity): void {
    const userId = this.#owners.get(key);
    if (userId === undefined) return;
    const person = this.#person(userId);
    this.#owners.delete(key);
    person.claims.delete(key);
    const before = person.lastSeen > now ? 0 : person.lastSeen;
    person.lastSeen = Math.max(before, lastSeen);
    this.#touched.add(userId);
  }

  /** Everyone of whom anything is claimed, as of now. */
  get claimed(): Iterable<string> {
    return this.#persons.keys();
  }

  /** What is claimed of a user, as of now (not of the last flush). */
  claimsOf(userId: string): ReadonlyMap<PropertyKey, Claim<Meta>> {
    return this.#persons.get(userId)?.claims ?? NONE;
  }

  /**
   * Puts these in the place of all claims of a user. Their keys are the user's own: nobody else's claims are looked at.
   *
   * @param lastSeen when claims that are not among them were last known to be alive, ms since the epoch
   */
  replace(userId: string, claims: Map<PropertyKey, Claim<Meta>>, lastSeen: number): void {
    const known = this.claimsOf(userId);
    if (sameClaims(known, claims)) return;
    const person = this.#persons.get(userId);
    if (person === undefined) this.#persons.set(userId, { claims, view: undefined, lastSeen: 0 });
    else {
      person.claims = claims;
      for (const key of known.keys()) if (!claims.has(key)) person.lastSeen = Math.max(person.lastSeen, lastSeen);
    }
    this.#touched.add(userId);
  }

  /**
   * Brings the users up to date and returns what changed since the last flush.
   *
   * @param isHeard whether anybody is told: else there are no events
   * @param isDue whether a user who is present is brought up to date now, and not with a later flush; default: all are
   */
  flush(now: number, isHeard = true, isDue: (userId: string) => boolean = () => true): PresenceEvent<Meta>[] {
    const events: PresenceEvent<Meta>[] = [];
    this.#changed = false;
    for (const userId of this.#touched) {
      const person = this.#person(userId);
      const next = this.#viewOf(userId, person);
      // a leave is never held back
      if (next !== undefined && !isDue(userId)) continue;
      this.#touched.delete(userId);
      const event = this.#flushUser(userId, person, next, now, isHeard);
      if (event !== null) events.push(event);
    }
    return events;
  }

  /** Whether the last flush left somebody for a later one. */
  get pending(): boolean {
    return this.#touched.size > 0;
  }

  #flushUser(
    userId: string,
    person: Person<Meta>,
    next: User<Meta> | undefined,
    now: number,
    isHeard: boolean,
  ): PresenceEvent<Meta> | null {
    if (person.lastSeen === Infinity) person.lastSeen = now;
    const previous = person.view;
    person.view = next;
    if (next !== previous) {
      this.#changed = true;
      this.#onView?.(userId, previous, next);
    }
    if (next === undefined) this.#users.delete(userId);
    else this.#users.set(userId, next);
    if (person.claims.size === 0) this.#persons.delete(userId);
    if (!isHeard) return null;
    const at = { roomId: this.roomId, now };
    // nobody joins or leaves in their own eyes; all that they do is an update [ROSTER-7]
    if (userId === this.selfId) return updateOf(previous, next, at);
    // one who left is said to have left when they were last alive; one who turned invisible, now [USER-7]
    const seen = person.claims.size > 0 ? now : person.lastSeen || now;
    // [ROSTER-2] compared with what was flushed last, so that a join and a leave alternate
    return diffUser(previous, next ?? (previous && departed(previous, seen)), at);
  }

  /** A user as the observer sees them: an invisible one only if it is the observer. [STATUS-6] */
  #viewOf(userId: string, person: Person<Meta>): User<Meta> | undefined {
    if (person.claims.size === 0) return undefined;
    const user = userOf(userId, [...person.claims.values()], { self: userId === this.selfId });
    // an invisible user is shown to nobody but themselves [STATUS-6]
    if (!user.self && !isPresent(user)) return undefined;
    // the same object for as long as nothing about the user changed [ROSTER-4]
    return person.view !== undefined && equal(person.view, user) ? person.view : user;
  }

  #person(userId: string): Person<Meta> {
    let person = this.#persons.get(userId);
    if (person === undefined) {
      person = { claims: new Map(), view: undefined, lastSeen: 0 };
      this.#persons.set(userId, person);
    }
    return person;
  }
}

/** The newest choice of status of a user, as of now (not of the last flush). */
export function choiceOf(people: People, userId: string): ManualChoice | null {
  return newestManual([...people.claimsOf(userId).values()].map((claim) => claim.session));
}

function sameClaims(a: ReadonlyMap<PropertyKey, Claim<unknown>>, b: ReadonlyMap<PropertyKey, Claim<unknown>>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, claim] of a) if (!equal(claim, b.get(key))) return false;
  return true;
}
