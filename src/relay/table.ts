/**
 * The awareness table of a room: the latest state of each client id, who owns it, and what observers have yet to hear.
 *
 * Pure but for its own contents: no socket, no timer, `now` comes in. What an update brings about is returned, or told to
 * the `TableEvents`.
 */
import { type Claim, equal, readState } from "../presence/index.ts";
import { type Entry, FrameError, type ParsedEntry, parseEntry, sameBytes } from "../wire/index.ts";
import type { Peer } from "./peer.ts";

export interface Row {
  readonly id: number;
  readonly room: string;
  clock: number;
  /** The state as its author wrote it. */
  state: Uint8Array;
  claim: Claim;
  /** The lobby that its connection counts in. */
  lobby: string;
  /** The connection that may set or remove it; null while its connection is lost, and for the relay's own. */
  owner: Peer | null;
  /** When its connection was last known to be alive. */
  lastSeen: number;
  /** Observers may see it. */
  visible: boolean;
  /** Observers have been told of it and not of its end. */
  shown: boolean;
}

/** A client id that left, remembered so that an echo of it on its way does not bring a ghost back. */
interface Departed {
  readonly clock: number;
  readonly owner: Peer | null;
  readonly at: number;
}

export interface TableEvents {
  /** A row is new, or its claim, its owner or its lobby changed. May set `row.visible`. */
  changed(row: Row): void;
  removed(row: Row): void;
  /** Something is to be flushed. */
  dirty(): void;
  /** The owner of this id should announce itself again with a higher clock: observers hold it for gone. */
  nudge(peer: Peer, id: number, clock: number): void;
  /** The connection's session is spoken for by a newer connection. */
  superseded(peer: Peer, session: string): void;
}

/** How long departed ids are remembered: longer than anything stays in flight. */
const DEPARTED_MS = 120_000;

type Change = "changed" | "removed";

export class AwarenessTable {
  readonly rows: Map<number, Row> = new Map();
  readonly #room: string;
  readonly #maxStates: number;
  readonly #events: TableEvents;
  readonly #owned = new Map<Peer, Set<number>>();
  readonly #bySession = new Map<string, Set<Row>>();
  readonly #departed = new Map<number, Departed>();
  readonly #superseded = new Map<Peer, Set<string>>();
  readonly #changes = new Map<number, Change>();
  readonly #lastClock = new Map<number, number>();
  readonly #renewed = new Set<Row>();

  constructor(room: string, maxStates: number, events: TableEvents) {
    this.#room = room;
    this.#maxStates = maxStates;
    this.#events = events;
  }

  /** Takes what a connection says of its own ids, and nothing that it says of others'. Throws `FrameError`. */
  apply(peer: Peer, entries: readonly Entry[], now: number): void {
    // the whole update is checked before any of it is taken
    const parsed: ParsedEntry[] = [];
    for (const entry of entries) {
      if (this.#concerns(peer, entry)) parsed.push(parseEntry(entry));
    }
    for (const entry of parsed) {
      if (entry.state === null || entry.value === null) this.#takeRemoval(peer, entry, now);
      else this.#takeState(peer, { ...entry, state: entry.state, value: entry.value }, now);
    }
  }

  /** Sets a state of the relay's own. */
  setOwn(id: number, clock: number, state: Uint8Array): void {
    const claim = readState(id, {}, this.#room);
    if (claim === null) throw new TypeError("unreachable");
    const row = this.rows.get(id) ?? this.#newRow(id, null, claim, "", 0);
    row.visible = true;
    row.clock = clock;
    row.state = state;
    this.#mark(row);
  }

  /** The rows of a connection that is gone without a leave; they wait without an owner. */
  orphan(peer: Peer): Row[] {
    const rows = this.rowsOf(peer);
    for (const row of rows) {
      row.owner = null;
      row.lastSeen = peer.lastSeen;
      this.#events.changed(row);
    }
    this.#forgetPeer(peer);
    return rows;
  }

  /** Removes the rows of a connection that left for good. */
  leave(peer: Peer, now: number): void {
    for (const row of this.rowsOf(peer)) {
      row.lastSeen = peer.lastSeen;
      this.remove(row, now);
    }
    this.#forgetPeer(peer);
  }

  rowsOf(peer: Peer): Row[] {
    return [...(this.#owned.get(peer) ?? [])].flatMap((id) => this.rows.get(id) ?? []);
  }

  /** Takes a row out; observers hear of it with the next flush. */
  remove(row: Row, now: number): void {
    if (this.rows.get(row.id) !== row) return;
    this.rows.delete(row.id);
    this.#renewed.delete(row);
    this.#departed.set(row.id, { clock: row.clock, owner: row.owner, at: now });
    this.#unindex(row);
    this.#disown(row);
    this.#conceal(row);
    this.#events.removed(row);
  }

  /** Shows a row to observers or hides it from them. */
  setVisible(row: Row, visible: boolean): void {
    if (row.visible === visible) return;
    row.visible = visible;
    if (!visible) return this.#conceal(row);
    const gone = this.#lastClock.get(row.id) ?? -1;
    // observers that saw it end take it back only with a higher clock, and only its owner may raise that
    if (gone >= row.clock && row.owner !== null) this.#events.nudge(row.owner, row.id, row.clock);
    this.#mark(row);
  }

  /** What observers have not heard yet, each id once; null states are removals. */
  takeChanges(): Entry[] {
    const entries: Entry[] = [];
    for (const [id, change] of this.#changes) {
      const row = this.rows.get(id);
      if (change === "changed" && row?.visible === true) {
        entries.push(row);
        row.shown = true;
        this.#renewed.delete(row);
      } else if (change === "removed") {
        const clock = this.#lastClock.get(id);
        if (clock !== undefined) entries.push({ id, clock, state: null });
      }
    }
    this.#changes.clear();
    return entries;
  }

  /** Rows whose owner said the same again since the last call: for observers that expire what is not renewed. */
  takeRenewals(): Entry[] {
    const entries = [...this.#renewed].filter((row) => row.visible && row.shown);
    this.#renewed.clear();
    return entries;
  }

  /** All that a newcomer may see. */
  snapshot(): Entry[] {
    const rows = [...this.rows.values()].filter((row) => row.visible);
    // whoever is given a row must hear of its end, even if that comes before the row's first flush
    for (const row of rows) row.shown = true;
    return rows;
  }

  /** Forgets ids that left long ago. */
  sweep(now: number): void {
    for (const [id, { at }] of this.#departed) {
      if (at > now - DEPARTED_MS) break;
      this.#departed.delete(id);
      this.#lastClock.delete(id);
    }
  }

  get empty(): boolean {
    return this.rows.size === 0;
  }

  /** Most of what comes in is an echo of what went out: drop it before any other work. */
  #concerns(peer: Peer, { id, clock, state }: Entry): boolean {
    const row = this.rows.get(id);
    if (row === undefined) return true;
    if (row.owner !== peer) return state !== null && !this.#ownsAny(peer);
    return state === null || clock > row.clock;
  }

  #takeRemoval(peer: Peer, { id, clock }: ParsedEntry, now: number): void {
    const row = this.rows.get(id);
    if (row === undefined || row.owner !== peer || clock < row.clock) return;
    row.clock = clock;
    row.lastSeen = now;
    this.remove(row, now);
  }

  #takeState(peer: Peer, entry: Entry & { state: Uint8Array; value: object }, now: number): void {
    const row = this.rows.get(entry.id);
    if (row === undefined) return this.#introduce(peer, entry, now);
    const claim = readState(entry.id, entry.value, this.#room);
    if (claim === null) return;
    const moves = row.owner !== peer;
    if (moves && !this.#mayTake(peer, row, claim)) return;
    if (moves) {
      this.#own(row, peer);
      // what was removed from under a client comes back with a clock that everybody takes for new
      if (entry.clock < row.clock) this.#events.nudge(peer, row.id, row.clock);
    }
    this.#update(row, entry, claim, moves, now);
  }

  #update(row: Row, entry: Entry & { state: Uint8Array }, claim: Claim, moved: boolean, now: number): void {
    const newer = entry.clock > row.clock;
    const same = sameBytes(row.state, entry.state);
    row.lastSeen = now;
    if (newer) row.clock = entry.clock;
    if (newer && same) this.#renewed.add(row);
    const renamed = newer && !same && !equal(row.claim, claim);
    if (newer && !same) {
      row.state = entry.state.slice();
      if (renamed) {
        this.#unindex(row);
        row.claim = claim;
        this.#index(row);
      }
    }
    if (renamed || moved) this.#events.changed(row);
    if (newer && !same) this.#mark(row);
    if (moved || renamed) this.#takeOver(row, now);
  }

  #introduce(peer: Peer, entry: Entry & { state: Uint8Array; value: object }, now: number): void {
    const { id, clock } = entry;
    const gone = this.#departed.get(id);
    if (gone !== undefined && gone.owner !== peer && this.#ownsAny(peer)) return;
    if (gone !== undefined && clock <= gone.clock) {
      if (gone.owner === peer || !this.#ownsAny(peer)) this.#events.nudge(peer, id, gone.clock);
      return;
    }
    const claim = readState(id, entry.value, this.#room);
    if (claim === null) return;
    if (this.#isSuperseded(peer, claim)) return;
    if ((this.#owned.get(peer)?.size ?? 0) >= this.#maxStates) {
      throw new FrameError(`more than ${this.#maxStates} awareness states on one connection`);
    }
    this.#departed.delete(id);
    const row = this.#newRow(id, peer, claim, peer.lobby, now);
    row.clock = clock;
    row.state = entry.state.slice();
    this.#events.changed(row);
    this.#mark(row);
    this.#takeOver(row, now);
  }

  #newRow(id: number, owner: Peer | null, claim: Claim, lobby: string, now: number): Row {
    const row: Row = {
      id,
      room: this.#room,
      clock: 0,
      state: new Uint8Array(),
      claim,
      lobby,
      owner: null,
      lastSeen: now,
      visible: false,
      shown: false,
    };
    this.rows.set(id, row);
    this.#index(row);
    if (owner !== null) this.#own(row, owner);
    return row;
  }

  /**
   * Whether a connection may take an id over: it comes back as who it was, and has no id yet. One that has is a sibling
   * that passes on what it heard.
   */
  #mayTake(peer: Peer, row: Row, claim: Claim): boolean {
    return (
      !this.#ownsAny(peer) &&
      row.lobby === peer.lobby &&
      row.claim.user.id === claim.user.id &&
      row.claim.session.id === claim.session.id
    );
  }

  /** The moment a session speaks through a new connection, what it said through an old one is void. */
  #takeOver(row: Row, now: number): void {
    if (row.owner === null || isStock(row.claim)) return;
    const key = sessionKey(row.claim, row.lobby);
    for (const other of this.#bySession.get(key) ?? []) {
      if (other === row || other.owner === row.owner) continue;
      const { owner } = other;
      this.remove(other, now);
      if (owner === null) continue;
      const sessions = this.#superseded.get(owner) ?? new Set();
      this.#superseded.set(owner, sessions.add(key));
      this.#events.superseded(owner, row.claim.session.id);
    }
  }

  /** A newer connection holds the session: until this one takes another, it would only take over back and forth. */
  #isSuperseded(peer: Peer, claim: Claim): boolean {
    const key = sessionKey(claim, peer.lobby);
    return this.#superseded.get(peer)?.has(key) === true && this.#bySession.has(key);
  }

  #own(row: Row, peer: Peer): void {
    this.#disown(row);
    row.owner = peer;
    row.lobby = peer.lobby;
    const ids = this.#owned.get(peer);
    if (ids === undefined) this.#owned.set(peer, new Set([row.id]));
    else ids.add(row.id);
  }

  #disown(row: Row): void {
    if (row.owner !== null) this.#owned.get(row.owner)?.delete(row.id);
  }

  #ownsAny(peer: Peer): boolean {
    return (this.#owned.get(peer)?.size ?? 0) > 0;
  }

  #forgetPeer(peer: Peer): void {
    this.#owned.delete(peer);
    this.#superseded.delete(peer);
  }

  #mark(row: Row): void {
    if (!row.visible) return;
    this.#changes.set(row.id, "changed");
    this.#events.dirty();
  }

  #conceal(row: Row): void {
    if (row.shown) {
      row.shown = false;
      this.#lastClock.set(row.id, row.clock);
      this.#changes.set(row.id, "removed");
      this.#events.dirty();
    } else {
      this.#changes.delete(row.id);
    }
  }

  #index(row: Row): void {
    const key = sessionKey(row.claim, row.lobby);
    const rows = this.#bySession.get(key);
    if (rows === undefined) this.#bySession.set(key, new Set([row]));
    else rows.add(row);
  }

  #unindex(row: Row): void {
    const key = sessionKey(row.claim, row.lobby);
    const rows = this.#bySession.get(key);
    if (rows?.delete(row) === true && rows.size === 0) this.#bySession.delete(key);
  }
}

function sessionKey({ user, session }: Claim, lobby: string): string {
  return `${lobby}\n${user.id}\n${session.id}`;
}

/** A session named after its client id: it has no other connection to come back as. */
export function isStock({ session }: Claim): boolean {
  return session.id === `client:${session.clientId}`;
}
