/**
 * What observers have yet to hear of each client id, and with which clocks.
 *
 * Observers take an awareness state only with a higher clock than they remember, and stock clients remember clocks through a
 * disconnect. So the relay gives out clocks of its own. They begin with the time, above whatever an earlier relay process gave out, and
 * rise with each change and with each renewal that the relay makes for a silent owner. A client must never be sent its own state with a
 * clock above its own, for it would take that state for its newest (see `nudges` and `preview`).
 * [LIVE-10]
 */
import type { StateBytes } from "../../wire/index.ts";
import type { Author } from "../author.ts";
import type { PresentEntry, Publication } from "../entry.ts";

/** What observers are told of an id. */
export interface StateUpdate {
  readonly publication: Publication;
  readonly clock: number;
  /** null: the id is gone. */
  readonly state: StateBytes | null;
}

/** A state is sent again after this time, though its owner is silent: stock observers drop a state that was not renewed for 30 s. */
const RENEW_MS = 20_000;

export class Updates {
  readonly #firstClock: () => number;
  readonly #pending = new Set<Publication>();

  /**
   * @param firstClock what the clock of a new id begins with: above all that was given out before. Not the wall clock,
   * which may have been set back since
   */
  constructor(firstClock: () => number) {
    this.#firstClock = firstClock;
  }

  /** Observers have to be told of the entry with the next flush. */
  changed(entry: PresentEntry): void {
    const publication = entry.publication ?? this.#begin(entry);
    publication.pending = "changed";
    this.#pending.add(publication);
  }

  /**
   * A client speaks for an id through another connection. Until now it may have spoken through another relay that nobody could hear, and
   * whose observers were told clocks up to the time. [BUS-6]
   */
  claimed({ publication }: PresentEntry): void {
    if (publication !== null) publication.clock = Math.max(publication.clock, this.#firstClock());
  }

  /** Observers must not see the entry any more. */
  removed({ publication }: PresentEntry): void {
    if (publication === null) return;
    if (publication.shown) {
      publication.pending = "removed";
      this.#pending.add(publication);
    } else {
      publication.pending = null;
      this.#pending.delete(publication);
    }
  }

  /** Takes the updates that observers have not heard yet, each id once, with the clocks to send. */
  takeChanges(now: number): StateUpdate[] {
    const updates: StateUpdate[] = [];
    for (const publication of this.#pending) {
      const { pending, entry, clock } = publication;
      publication.pending = null;
      if (pending === "changed" && entry?.visible === true) updates.push(this.#send(entry, now));
      else if (pending === "removed" && publication.shown) {
        publication.shown = false;
        updates.push({ publication, clock, state: null });
      }
    }
    this.#pending.clear();
    return updates;
  }

  /** States to send again to observers that expire what is not renewed. [LIVE-21] */
  takeRenewals(entries: Iterable<PresentEntry>, now: number): StateUpdate[] {
    const updates: StateUpdate[] = [];
    for (const entry of entries) {
      const { visible, publication } = entry;
      // [BUS-6] the relay that holds the author's connection renews it
      if (entry.isRemote) continue;
      if (visible && publication?.shown === true && now - publication.sentAt >= RENEW_MS) {
        updates.push(this.#send(entry, now));
      }
    }
    return updates;
  }

  /**
   * States as a newcomer gets them.
   *
   * @param since states that were not sent after this time get a new clock: the newcomer may be a stock client that was
   * here until then, and remembers the clock of a state that it has dropped; -Infinity: it remembers nothing
   */
  snapshot(entries: Iterable<PresentEntry>, since: number): StateUpdate[] {
    const updates: StateUpdate[] = [];
    for (const entry of entries) {
      if (!entry.visible) continue;
      const { publication } = entry;
      if (publication !== null && !entry.isRemote && isRemembered(publication, since))
        raise(publication, entry, publication.sentAt);
      updates.push(this.show(entry));
    }
    return updates;
  }

  /** A snapshot for a stock client that may itself be the author of any of the entries: no clock in it is above the author's own. */
  preview(entries: Iterable<PresentEntry>): StateUpdate[] {
    const updates: StateUpdate[] = [];
    for (const entry of entries) {
      if (!entry.visible) continue;
      const update = this.show(entry);
      updates.push({ ...update, clock: Math.min(update.clock, entry.clock) });
    }
    return updates;
  }

  /**
   * What a client that was sent `preview` is to be sent once it is known which entries are its own: states of others that it may
   * not have taken, since their clocks were too low. `since` as for `snapshot`.
   */
  afterPreview(entries: Iterable<PresentEntry>, since: number): StateUpdate[] {
    const old: PresentEntry[] = [];
    for (const entry of entries) {
      const { publication, clock } = entry;
      if (publication === null) continue;
      // an owner that is ahead has caught up since, and may have been behind when it was previewed
      if (isRemembered(publication, since) || clock !== publication.clock) old.push(entry);
    }
    return this.snapshot(old, since);
  }

  /** Gives entries new clocks, since a client of another relay remembers the old ones. [BUS-7] */
  renewAll(entries: Iterable<PresentEntry>): void {
    for (const entry of entries) if (entry.visible && !entry.isRemote) this.changed(entry);
  }

  /** Goes on above a clock that observers elsewhere were told. [BUS-8] */
  raiseTo(entry: PresentEntry, clock: number): void {
    if (entry.isRemote || !entry.visible) return;
    this.changed(entry);
    if (entry.publication !== null) entry.publication.clock = Math.max(entry.publication.clock, clock);
  }

  /** A visible entry as it was last sent. Its observer has to hear when it leaves, even before the first flush. */
  show(entry: PresentEntry): StateUpdate {
    const publication = entry.publication ?? this.#begin(entry);
    publication.shown = true;
    return { publication, clock: publication.clock, state: entry.publishedState };
  }

  /** How an id is now, for an observer that has missed something of it. */
  asOf(publication: Publication): StateUpdate {
    const { entry, clock } = publication;
    return entry?.visible === true ? this.show(entry) : { publication, clock, state: null };
  }

  #send(entry: PresentEntry, now: number): StateUpdate {
    const publication = entry.publication ?? this.#begin(entry);
    // [BUS-6] the clocks of those who are connected to another relay are given out there alone
    if (entry.remote !== null) publication.clock = Math.max(publication.clock, entry.remote.clock);
    // a state that nobody was sent yet goes out with the clock that it begins with
    else if (publication.sentAt === -Infinity && !publication.shown)
      publication.clock = Math.max(publication.clock, entry.clock);
    else raise(publication, entry, now);
    publication.sentAt = now;
    return this.show(entry);
  }

  #begin(entry: PresentEntry): Publication {
    const publication: Publication = {
      id: entry.id,
      entry,
      isElsewhere: false,
      clock: entry.remote === null ? Math.max(entry.clock, this.#firstClock()) : entry.remote.clock,
      shown: false,
      sentAt: -Infinity,
      pending: null,
      native: null,
    };
    entry.publication = publication;
    return publication;
  }
}

/**
 * What to send instead to owners of the states sent that are stock clients and behind: for each, by the place of its
 * states, word that the state has left, upon which its owner speaks up with a higher clock.
 */
export function nudges(updates: readonly StateUpdate[]): ReadonlyMap<Author, ReadonlyMap<number, StateUpdate>> {
  const byOwner = new Map<Author, Map<number, StateUpdate>>();
  for (const [place, update] of updates.entries()) {
    const { publication, clock, state } = update;
    const { entry } = publication;
    if (entry === null || entry.owner === null || entry.owner.kind !== "stock" || state === null) continue;
    if (clock <= entry.clock) continue;
    const own = byOwner.get(entry.owner) ?? new Map<number, StateUpdate>();
    byOwner.set(entry.owner, own.set(place, { ...update, state: null }));
  }
  return byOwner;
}

/** The same updates with what an owner is to be sent instead of its own, as `nudges` has it; undefined: nothing. */
export function withNudges(
  updates: readonly StateUpdate[],
  nudged: ReadonlyMap<number, StateUpdate> | undefined,
): readonly StateUpdate[] {
  return nudged === undefined ? updates : updates.map((update, place) => nudged.get(place) ?? update);
}

/**
 * What to send to a stock client of which nobody knows yet which states are its own: none that may be has a clock above its
 * author's. [LIVE-10]
 *
 * @param ids those that were here when it came
 * @param nudged what it is to be sent instead of its own, as `nudges` has it
 */
export function previewed(
  updates: readonly StateUpdate[],
  author: Author,
  ids: ReadonlySet<number>,
  nudged: ReadonlyMap<number, StateUpdate> | undefined,
): readonly StateUpdate[] {
  return updates.map((update, place) => {
    const { entry } = update.publication;
    const mayBeOwn = entry?.isStock === true && (entry.isRemote || ids.has(entry.id));
    if (entry === null || entry.owner === author || !mayBeOwn) return nudged?.get(place) ?? update;
    return { ...update, clock: Math.min(update.clock, entry.clock) };
  });
}

function raise(publication: Publication, entry: PresentEntry, sentAt: number): void {
  publication.clock = Math.max(entry.clock, publication.clock + 1);
  publication.sentAt = sentAt;
}

/** Whether a stock client that was last here at `since` may remember the clock that an id was sent with last. */
function isRemembered({ sentAt }: Publication, since: number): boolean {
  return since !== -Infinity && sentAt <= since;
}
