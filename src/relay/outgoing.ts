/**
 * What observers have heard of each client id, and what they have yet to hear.
 *
 * Observers take an awareness state only with a higher clock than they remember, and stock ones remember through a
 * disconnect. So the relay gives out clocks of its own, starting from the time: they rise with each change, with each
 * renewal that the owner is too silent to make, and above whatever a former relay process gave out. A client must never
 * be sent its own state with a clock above its own, for it would take it for its newest (see `behind` and `preview`).
 */
import type { StateBytes } from "../wire/index.ts";
import type { Peer } from "./peer.ts";
import type { Row } from "./table.ts";

/** What observers are told of an id. */
export interface News {
  readonly id: number;
  readonly clock: number;
  /** null: it is gone. */
  readonly state: StateBytes | null;
}

interface Outgoing {
  /** The last clock that anybody was sent. */
  clock: number;
  /** Observers have been told of its state and not of its end. */
  shown: boolean;
  /** When its state was last sent to all, by the clock that only goes forward; -Infinity: never. */
  sentAt: number;
}

/** Stock observers drop who was not renewed for 30 s; a state is sent again before, though its owner is silent. */
const RENEW_MS = 20_000;

export class OutgoingStates {
  readonly #firstClock: () => number;
  readonly #known = new Map<number, Outgoing>();
  readonly #changes = new Map<number, "changed" | "removed">();

  /**
   * @param firstClock what the clocks of a new id begin with: above whatever was given out before. Not the wall clock: it
   * may have been set back since
   */
  constructor(firstClock: () => number) {
    this.#firstClock = firstClock;
  }

  /** The last clock that observers were sent; they take only higher ones. */
  clockOf(id: number): number {
    return this.#known.get(id)?.clock ?? -1;
  }

  /** Whether there is anything to flush. */
  get pending(): boolean {
    return this.#changes.size > 0;
  }

  /** The row has something new to say to observers. */
  changed(id: number): void {
    this.#changes.set(id, "changed");
  }

  /** Observers must not see the id any more. */
  removed(id: number): void {
    const known = this.#known.get(id);
    if (known?.shown === true) this.#changes.set(id, "removed");
    else this.#changes.delete(id);
  }

  /** What all observers have not heard yet, each id once, with the clocks to send. */
  takeChanges(rows: ReadonlyMap<number, Row>, now: number): News[] {
    const entries: News[] = [];
    for (const [id, change] of this.#changes) {
      const row = rows.get(id);
      const known = this.#known.get(id);
      if (change === "changed" && row?.visible === true) entries.push(this.#send(row, now));
      else if (change === "removed" && known?.shown === true) {
        known.shown = false;
        entries.push({ id, clock: known.clock, state: null });
      }
    }
    this.#changes.clear();
    return entries;
  }

  /** States to send again to observers that expire what is not renewed. */
  takeRenewals(rows: Iterable<Row>, now: number): News[] {
    const entries: News[] = [];
    for (const row of rows) {
      const known = this.#known.get(row.id);
      if (!row.visible || known?.shown !== true) continue;
      if (now - known.sentAt >= RENEW_MS) entries.push(this.#send(row, now));
    }
    return entries;
  }

  /**
   * States as a newcomer gets them.
   *
   * @param since states that were not sent after this time get a new clock: the newcomer may be a stock client that was
   * here until then, and remembers the clock of a state that it has dropped; -Infinity: it remembers nothing
   */
  snapshot(rows: Iterable<Row>, since: number): News[] {
    const entries: News[] = [];
    for (const row of rows) {
      if (!row.visible) continue;
      const known = this.#known.get(row.id);
      if (known !== undefined && isRemembered(known, since)) this.#raise(row, known.sentAt);
      entries.push(this.show(row));
    }
    return entries;
  }

  /** A snapshot for a stock client that may be the author of any of the rows: no clock is above the author's. */
  preview(rows: Iterable<Row>): News[] {
    return [...rows]
      .filter((row) => row.visible)
      .map((row) => {
        const entry = this.show(row);
        return { ...entry, clock: Math.min(entry.clock, row.clock) };
      });
  }

  /** What such a client may not have taken for new, once it is known which rows are its own. `since` as for `snapshot`. */
  afterPreview(rows: Iterable<Row>, since: number): News[] {
    const isOld = (row: Row): boolean => {
      const known = this.#known.get(row.id);
      // an owner that is ahead has caught up since, and may have been behind when it was previewed
      return known !== undefined && (isRemembered(known, since) || row.clock !== known.clock);
    };
    return this.snapshot([...rows].filter(isOld), since);
  }

  /** A visible row as it was last sent. Whoever is given it must hear of its end, even before its first flush. */
  show(row: Row): News {
    const known = this.#known.get(row.id) ?? this.#raise(row, -Infinity);
    known.shown = true;
    return { id: row.id, clock: known.clock, state: row.state };
  }

  /**
   * What to send instead to owners of the states sent that are stock clients and behind: for each, by the place of its
   * states, word that it has left, upon which it speaks up with a higher clock.
   */
  nudges(entries: readonly News[], rows: ReadonlyMap<number, Row>): Map<Peer, Map<number, News>> {
    const nudges = new Map<Peer, Map<number, News>>();
    for (const [i, { id, clock, state }] of entries.entries()) {
      const row = rows.get(id);
      if (row === undefined || row.owner === null || row.owner.trusts || state === null || clock <= row.clock) continue;
      const { owner } = row;
      const own = nudges.get(owner) ?? new Map<number, News>();
      nudges.set(owner, own.set(i, { id, clock, state: null }));
    }
    return nudges;
  }

  /** What a peer that missed something of an id must hear: how it is now. */
  asOf(id: number, row: Row | undefined): News {
    if (row?.visible === true) return this.show(row);
    return { id, clock: this.#known.get(id)?.clock ?? this.#firstClock(), state: null };
  }

  forget(id: number): void {
    this.#known.delete(id);
  }

  #send(row: Row, now: number): News {
    this.#raise(row, now);
    return this.show(row);
  }

  #raise(row: Row, sentAt: number): Outgoing {
    const known = this.#known.get(row.id);
    const clock = known === undefined ? Math.max(row.clock, this.#firstClock()) : Math.max(row.clock, known.clock + 1);
    const next = { clock, shown: known?.shown ?? false, sentAt };
    this.#known.set(row.id, next);
    return next;
  }
}

/** Whether a stock client that was last here at `since` may remember the clock that an id was sent with last. */
function isRemembered({ sentAt }: Outgoing, since: number): boolean {
  return since !== -Infinity && sentAt <= since;
}
