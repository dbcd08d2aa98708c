/**
 * The awareness table of a room: the latest state of each client id, and who owns it.
 *
 * Pure but for its own contents: no socket, no timer, `now` comes in. What an update brings about is told to the
 * `TableEvents`.
 *
 * Who may speak for an id is the heart of it. Stock clients send back every state that they receive, so what looks like
 * somebody who returns may be an echo. Messages keep their order, which tells them apart: a client announces itself
 * before it answers the first question that it is asked, and echoes what it is told after the question only afterwards.
 */
import { type Claim, crediblyChosen, equal, readState } from "../presence/index.ts";
import { type Stated, checkMeta, claimedUser, stamped } from "./access/stamp.ts";
import {
  type Entry,
  FrameError,
  type Mark,
  PERSON,
  type StateBytes,
  type StateChange,
  StateTooLargeError,
  checkClock,
  isLobby,
  patchState,
  readStateBytes,
  sameBytes,
  valuesOf,
} from "../wire/index.ts";
import type { Peer } from "./peer.ts";
import { type Clock, systemClock } from "./ports/clock.ts";

export interface Row {
  readonly id: number;
  readonly room: string;
  clock: number;
  /** As observers get it: as its author said it, but for the user, where the relay knows better. */
  state: StateBytes;
  /** As its author said it. */
  said: StateBytes;
  claim: Claim;
  /** The lobby that its connection counts in. */
  lobby: string;
  /** The connection that may set or remove it; null while its connection is lost, and for the relay's own. */
  owner: Peer | null;
  /** Who the relay knows its author as; null where it has not asked. */
  user: string | null;
  /** When its connection was last known to be alive, by the clock that only goes forward. */
  lastSeen: number;
  /** Observers may see it. */
  visible: boolean;
  /** What observers that trust the relay are told of its connection. */
  mark: Mark;
  /** Its author is a stock client, which minds the clock that it is sent its own state with. */
  readonly stock: boolean;
}

/** A client id that left, remembered so that an echo of it on its way does not bring a ghost back. */
interface Departed {
  readonly clock: number;
  /** Of the connection that took it back; a record, since a connection that is gone would keep its sockets. */
  readonly owner: PeerRecord | null;
  /** Who may be expected back, of one whose connection was lost; null where the relay does not know who that is. */
  readonly user: string | null;
  readonly at: number;
}

export interface TableEvents {
  /** A row is new, or its claim or its owner changed. May set `row.visible`. */
  changed(row: Row): void;
  removed(row: Row): void;
  /** The state of a row is to be sent to observers. */
  stateChanged(row: Row, changed: ReadonlySet<string>): void;
  /** The last clock of an id that observers were sent. */
  sentClock(id: number): number;
  /** A stock client is back while its old connection still seems open: it has dropped whom it saw. */
  returned(peer: Peer): void;
  /** Whether somebody who is not in the lobby yet finds no room there. */
  isFull(lobby: string, userId: string): boolean;
  /** The peer's session is spoken for by a newer connection. */
  superseded(peer: Peer, session: string): void;
}

const UNCHANGED: ReadonlySet<string> = new Set();

/** How long departed ids are remembered: longer than anything stays in flight. */
const DEPARTED_MS = 120_000;
/** So many that were lost are kept for their users beyond that, until the room is empty: those that were lost last. */
const MAX_LOST = 1_000;

export interface TableLimits {
  /** Largest state, in bytes. */
  readonly maxState: number;
  /** Most ids that one connection may own. */
  readonly maxStates: number;
  /** Largest metadata of a session, in bytes. */
  readonly maxMeta: number;
}

export class LobbyFullError extends FrameError {
  constructor() {
    super("the lobby is full");
  }
}

interface PeerRecord {
  /** Mostly one. */
  owned: Row[];
  /** How many ids that were its own have left and are still remembered. */
  departed: number;
  /** It has heard what others say, and says it back. */
  echoes: boolean;
  /** Sessions that newer connections have taken over from it, if any. */
  superseded: Set<string> | null;
}

/** An entry, read. */
interface Said {
  readonly id: number;
  readonly clock: number;
  /** null: it is gone. */
  readonly change: Stated | null;
}
type SaidState = Said & { readonly change: Stated };

export class AwarenessTable {
  readonly rows: Map<number, Row> = new Map();
  readonly #room: string;
  readonly #limits: TableLimits;
  readonly #events: TableEvents;
  readonly #clock: Clock;
  readonly #peers = new Map<Peer, PeerRecord>();
  readonly #bySession = new Map<string, Row[]>();
  readonly #departed = new Map<number, Departed>();
  /** Client id → user: a stock client that was long away comes back with the id that it had. */
  readonly #lost = new Map<number, string>();

  constructor(room: string, limits: TableLimits, events: TableEvents, clock: Clock = systemClock) {
    this.#room = room;
    this.#clock = clock;
    this.#limits = limits;
    this.#events = events;
  }

  get empty(): boolean {
    return this.rows.size === 0;
  }

  /** How many ids are here, or were until lately: all that an echo can speak of. */
  get known(): number {
    return this.rows.size + this.#departed.size;
  }

  /** A stock client answered what it was asked first of all. Returns whether that is news. */
  answered(peer: Peer): boolean {
    const record = this.#peer(peer);
    if (record.echoes || peer.trusts) return false;
    record.echoes = true;
    return true;
  }

  /** Most of what comes in is an echo of what went out: drop it before any other work. */
  concerns(peer: Peer, id: number, clock: number, isGone: boolean): boolean {
    const row = this.rows.get(id);
    if (isGone) return row?.owner === peer && clock >= row.clock;
    const departed = row === undefined ? this.#departed.get(id) : undefined;
    const last = row ?? departed;
    if (last === undefined) return true;
    if (row?.owner === peer || this.#tookBack(peer, departed)) return clock > last.clock;
    // one that owns an id already is a sibling that passes on what it heard
    if (this.#ownsAny(peer)) return false;
    // a client that returns is not behind itself, and one that may be an echo is ahead of all that it can have heard
    if (this.#peers.get(peer)?.echoes !== true) return clock >= last.clock;
    return clock > Math.max(last.clock, this.#events.sentClock(id));
  }

  /** Takes what a connection says of its own ids, and nothing that it says of others'. Throws `FrameError`. */
  apply(peer: Peer, entries: readonly Entry[], now: number): void {
    // the whole update is checked before any of it is taken
    // of one id twice, the last counts
    const said = new Map<number, Said>();
    for (const entry of entries) {
      if (!this.concerns(peer, entry.id, entry.clock, entry.state === null)) continue;
      said.set(entry.id, this.#read(peer, entry));
    }
    for (const each of said.values()) {
      const { id, clock, change } = each;
      // an earlier entry may have made the connection the owner of something
      if (!this.concerns(peer, id, clock, change === null)) continue;
      if (change === null) this.#takeRemoval(peer, each, now);
      else this.#takeState(peer, { id, clock, change }, now);
    }
  }

  /**
   * Takes what a connection changes about an own id. Returns false when it is not known as its own: it must say its state
   * whole. Throws `FrameError`.
   */
  patch(peer: Peer, id: number, clock: number, patch: Uint8Array, now: number): boolean {
    const row = this.rows.get(id);
    if (row === undefined || row.owner !== peer) return false;
    checkClock(clock);
    if (clock <= row.clock) return true;
    // what changes more than all of it had better say it whole
    if (patch.length > 2 * this.#limits.maxState) throw new StateTooLargeError(this.#limits.maxState);
    const change = patchState(patch, row.said);
    if (change.state.size > this.#limits.maxState) throw new StateTooLargeError(this.#limits.maxState);
    this.#takeState(peer, { id, clock, change: this.#stated(peer, change, row) }, now);
    return true;
  }

  /** Sets a state of the relay's own. */
  setOwn(id: number, state: StateBytes): void {
    const claim = readState(id, {}, this.#room);
    if (claim === null) throw new TypeError("unreachable");
    const row = this.rows.get(id) ?? this.#addRow(id, 0, { state, said: state }, null, claim, "", -Infinity);
    row.visible = true;
    row.state = row.said = state;
    this.#events.stateChanged(row, new Set(state.fields.keys()));
  }

  rowsOf(peer: Peer): Row[] {
    return this.#peers.get(peer)?.owned.slice() ?? [];
  }

  /** The row of a peer that has just one, as most do. */
  onlyRowOf(peer: Peer): Row | undefined {
    const owned = this.#peers.get(peer)?.owned;
    return owned?.length === 1 ? owned[0] : undefined;
  }

  /** Forgets a connection that is gone. Rows that it still owns wait without an owner; they are returned. */
  orphan(peer: Peer): Row[] {
    const rows = this.rowsOf(peer);
    this.#peers.delete(peer);
    for (const row of rows) {
      row.owner = null;
      row.lastSeen = peer.lastSeen;
      this.#events.changed(row);
    }
    return rows;
  }

  remove(row: Row, now: number): void {
    if (this.rows.get(row.id) !== row) return;
    const { id, clock, owner, user } = row;
    this.rows.delete(id);
    const record = owner === null ? null : this.#peer(owner);
    this.#departed.set(id, { clock, owner: record, user: record === null ? user : null, at: now });
    if (record !== null) record.departed++;
    this.#unindex(row);
    this.#disown(row);
    this.#events.removed(row);
  }

  /** Forgets ids that left long ago, and returns them. */
  sweep(now: number): number[] {
    const forgotten: number[] = [];
    for (const [id, departed] of this.#departed) {
      if (departed.at > now - DEPARTED_MS) break;
      this.#forget(id, departed);
      if (departed.user !== null) this.#keepFor(departed.user, id);
      forgotten.push(id);
    }
    return forgotten;
  }

  /** Makes the states small of those who have said nothing since. */
  fold(since: number): void {
    for (const { lastSeen, state, said } of this.rows.values()) {
      if (lastSeen >= since) continue;
      state.fold();
      said.fold();
    }
  }

  #forget(id: number, { owner }: Departed): void {
    this.#departed.delete(id);
    if (owner !== null) owner.departed--;
  }

  #keepFor(user: string, id: number): void {
    this.#lost.delete(id);
    this.#lost.set(id, user);
    if (this.#lost.size > MAX_LOST) this.#lost.delete(firstOf(this.#lost.keys()));
  }

  #read(peer: Peer, { id, clock, state }: Entry): Said {
    if (state === null) return { id, clock, change: null };
    const row = this.rows.get(id);
    const isOwn = row?.owner === peer || peer.access.user === null;
    if (row !== undefined && isOwn && sameBytes(row.said.whole, state)) {
      return { id, clock, change: { state: row.state, said: row.said, changed: UNCHANGED } };
    }
    const { maxState } = this.#limits;
    if (state.length > maxState) throw new StateTooLargeError(maxState);
    const change = readStateBytes(state, row?.said);
    return { id, clock, change: change === null ? null : this.#stated(peer, change, row) };
  }

  #stated(peer: Peer, change: StateChange, row: Row | undefined): Stated {
    if (change.changed.has("copresence")) checkMeta(change.state, this.#limits.maxMeta);
    const { user } = peer.access;
    // in a lobby an empty state announces nobody
    if (user === null || (isLobby(this.#room) && change.state.fields.size === 0))
      return { ...change, said: change.state };
    return stamped(change, user, row?.state, row?.owner === peer);
  }

  #takeRemoval(peer: Peer, { id, clock }: { readonly id: number; readonly clock: number }, now: number): void {
    const row = this.rows.get(id);
    if (row?.owner !== peer) return;
    row.clock = clock;
    row.lastSeen = now;
    this.remove(row, now);
  }

  #takeState(peer: Peer, said: SaidState, now: number): void {
    // in a lobby states are announcements, and a stock reader's empty one announces nobody
    if (isLobby(this.#room) && said.change.state.fields.size === 0) return this.#takeRemoval(peer, said, now);
    const row = this.rows.get(said.id);
    if (row === undefined) this.#introduce(peer, said, now);
    else if (row.owner === peer) this.#update(row, said, now);
    else this.#claim(peer, row, said, now);
  }

  /** Who a state says it is from. */
  #claimOf({ id, change }: SaidState): Claim {
    const claim = readState(id, valuesOf(change.state.fields, ...PERSON), this.#room);
    if (claim === null) throw new TypeError("unreachable");
    const manual = crediblyChosen(claim.session.manual, this.#clock.wall());
    return manual === claim.session.manual ? claim : { ...claim, session: { ...claim.session, manual } };
  }

  #update(row: Row, said: SaidState, now: number): void {
    const { state, changed } = said.change;
    row.said = said.change.said;
    row.lastSeen = now;
    row.clock = said.clock;
    // a renewal: observers are told in due time
    if (changed.size === 0) return;
    row.state = state;
    // who it is from is not looked at again because a cursor moved
    const claim = [...PERSON].some((name) => changed.has(name)) ? this.#claimOf(said) : row.claim;
    const renamed = !equal(row.claim, claim);
    if (renamed) {
      if (row.claim.user.id !== claim.user.id) this.#checkFull(row.lobby, claim);
      this.#unindex(row);
      row.claim = claim;
      this.#index(row);
      this.#events.changed(row);
    }
    this.#events.stateChanged(row, changed);
    if (renamed) this.#takeOver(row, now);
  }

  /** Somebody speaks for an id whose owner is another connection, or none. */
  #claim(peer: Peer, row: Row, said: SaidState, now: number): void {
    const claim = this.#claimOf(said);
    if (row.lobby !== peer.access.lobby || row.claim.user.id !== claim.user.id) return;
    // one of ours may have taken another session id since it was last heard
    if (row.claim.session.id !== claim.session.id && !peer.trusts) return;
    const wasOpen = row.owner !== null;
    this.#disown(row);
    this.#own(row, peer);
    this.#events.changed(row);
    this.#update(row, said, now);
    this.#takeOver(row, now);
    if (wasOpen && !peer.trusts) this.#events.returned(peer);
  }

  #introduce(peer: Peer, said: SaidState, now: number): void {
    const claim = this.#claimOf(said);
    if (this.#isSuperseded(peer, claim)) return;
    const { id, clock, change } = said;
    const { user, lobby } = peer.access;
    const departed = this.#departed.get(id);
    this.#checkCount(peer, this.#tookBack(peer, departed));
    // of somebody whose connection was lost: else whoever took it meanwhile could lock them out
    const expected = departed === undefined ? this.#lost.get(id) : departed.user;
    if (user !== null && (expected ?? user.id) !== user.id) return;
    // a tab passes on what it heard from another of its browser, where somebody else is signed in: they say it themselves
    if (user !== null && this.#ownsAny(peer) && (claimedUser(change.said) ?? user.id) !== user.id) return;
    this.#checkFull(lobby, claim);
    if (departed !== undefined) this.#forget(id, departed);
    this.#lost.delete(id);
    const row = this.#addRow(id, clock, change, peer, claim, lobby, now);
    this.#events.changed(row);
    this.#events.stateChanged(row, change.changed);
    this.#takeOver(row, now);
  }

  #checkFull(lobby: string, { user }: Claim): void {
    if (this.#events.isFull(lobby, user.id)) throw new LobbyFullError();
  }

  /** What it took back is limited as what it has, for as long as that is remembered. Throws `FrameError`. */
  #checkCount(peer: Peer, isBack: boolean): void {
    const { maxStates } = this.#limits;
    const { owned, departed } = this.#peer(peer);
    if (owned.length < maxStates && (isBack || departed < maxStates)) return;
    throw new FrameError(`more than ${maxStates} awareness states on one connection`);
  }

  /** The moment a session speaks through a new connection, what it said through an old one is void. */
  #takeOver(row: Row, now: number): void {
    if (row.owner === null || isStock(row.claim)) return;
    const key = sessionKey(row.claim, row.lobby);
    for (const other of this.#bySession.get(key)?.slice() ?? []) {
      if (other === row || other.owner === row.owner) continue;
      const { owner } = other;
      this.remove(other, now);
      if (owner === null) continue;
      this.#supersede(this.#peer(owner), key);
      this.#events.superseded(owner, row.claim.session.id);
    }
  }

  #supersede(record: PeerRecord, key: string): void {
    // of those that nobody holds any more nothing is to be known
    const held = [...(record.superseded ?? [])].filter((each) => this.#bySession.has(each));
    record.superseded = new Set([...held, key]);
  }

  /** A newer connection holds the session: until this one takes another, it would only take over back and forth. */
  #isSuperseded(peer: Peer, claim: Claim): boolean {
    const key = sessionKey(claim, peer.access.lobby);
    return this.#peers.get(peer)?.superseded?.has(key) === true && this.#bySession.has(key);
  }

  #addRow(
    id: number,
    clock: number,
    { state, said }: Pick<Stated, "state" | "said">,
    owner: Peer | null,
    claim: Claim,
    lobby: string,
    now: number,
  ): Row {
    const row: Row = {
      id,
      room: this.#room,
      clock,
      state,
      said,
      claim,
      lobby,
      owner: null,
      user: null,
      lastSeen: now,
      visible: false,
      mark: "clear",
      stock: owner?.trusts === false,
    };
    this.rows.set(id, row);
    this.#index(row);
    if (owner !== null) this.#own(row, owner);
    return row;
  }

  #own(row: Row, peer: Peer): void {
    row.owner = peer;
    row.user = peer.access.user?.id ?? null;
    const record = this.#peer(peer);
    // what is pushed to an empty array makes it one of seventeen
    if (record.owned.length === 0) record.owned = [row];
    else record.owned.push(row);
  }

  #disown(row: Row): void {
    const owned = row.owner === null ? undefined : this.#peers.get(row.owner)?.owned;
    if (owned !== undefined) drop(owned, row);
  }

  #tookBack(peer: Peer, departed: Departed | undefined): boolean {
    return departed !== undefined && departed.owner !== null && departed.owner === this.#peers.get(peer);
  }

  #ownsAny(peer: Peer): boolean {
    return (this.#peers.get(peer)?.owned.length ?? 0) > 0;
  }

  #peer(peer: Peer): PeerRecord {
    let record = this.#peers.get(peer);
    if (record === undefined) {
      record = { owned: [], departed: 0, echoes: false, superseded: null };
      this.#peers.set(peer, record);
    }
    return record;
  }

  #index(row: Row): void {
    const key = sessionKey(row.claim, row.lobby);
    const rows = this.#bySession.get(key);
    if (rows === undefined) this.#bySession.set(key, [row]);
    else rows.push(row);
  }

  #unindex(row: Row): void {
    const key = sessionKey(row.claim, row.lobby);
    const rows = this.#bySession.get(key);
    if (rows === undefined) return;
    drop(rows, row);
    if (rows.length === 0) this.#bySession.delete(key);
  }
}

function firstOf<T>(values: Iterable<T>): T {
  for (const value of values) return value;
  throw new RangeError("there is none");
}

function drop<T>(from: T[], item: T): void {
  const at = from.indexOf(item);
  if (at >= 0) from.splice(at, 1);
}

/** The lengths keep apart what the ids alone would not: they may hold any character. */
function sessionKey({ user, session }: Claim, lobby: string): string {
  return [lobby.length, user.id.length, lobby, user.id, session.id].join("\n");
}

/** A session named after its client id: it has no other connection to come back as. */
export function isStock({ session }: Claim): boolean {
  return session.id === `client:${session.clientId}`;
}
