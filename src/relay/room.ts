/**
 * A room: peers, the awareness table, a document, and the flush that tells every peer what changed.
 *
 * It knows peers, not sockets. What a connection's frames mean is decided here; who may open one, and when a silent one
 * is given up, is not.
 */
import { Aggregator, type Report } from "../aggregator/index.ts";
import type { PresenceEvent, User } from "../presence/index.ts";
import {
  Close,
  type Control,
  EMPTY_STATE_VECTOR,
  EMPTY_UPDATE,
  type Frame,
  FrameError,
  KEEP_ALIVE_FRAME,
  type Mark,
  type MarkEntry,
  NO_STATES_FRAME,
  PERSON,
  QUERY_FRAME,
  Ticker,
  controlFrame,
  decodeEntries,
  isLobby,
  syncStep1Frame,
  syncStep2Frame,
} from "../wire/index.ts";
import { Crowd } from "./crowd.ts";
import type { RoomDocument } from "./documents/index.ts";
import { Echoes } from "./echoes.ts";
import { immediate } from "./immediate.ts";
import type { Dropped } from "./metrics.ts";
import type { RelaySettings } from "./options.ts";
import { type News, OutgoingStates } from "./outgoing.ts";
import { Packet } from "./packet.ts";
import { PatchedStates } from "./patches.ts";
import type { Peer } from "./peer.ts";
import { AwarenessTable, type Row } from "./table.ts";
import { type FlushLoad, tickMs } from "./tick.ts";
import { WholeStates } from "./whole.ts";

/** What a room needs of the relay around it. */
export interface RoomHost {
  readonly options: RelaySettings;
  readonly load: FlushLoad;
  /** Somebody listens to what comes of `events`. */
  readonly isObserved: boolean;
  /** A row is new or its claim or connection changed. */
  rowChanged(room: Room, row: Row): void;
  rowRemoved(room: Room, row: Row): void;
  /** Whether observers may see a row now. */
  isVisible(room: Room, row: Row): boolean;
  /** A lost connection's row waits: `expire` it after the grace. */
  orphaned(room: Room, rows: readonly Row[]): void;
  events(events: readonly PresenceEvent[]): void;
  /** Whether somebody who is not in the lobby yet finds no room there. */
  isFull(lobby: string, userId: string): boolean;
  /** A message was not taken, for want of a grant. */
  dropped(what: Dropped): void;
  /** Nothing is left in it. */
  emptied(room: Room): void;
}

const KEEP_ALIVE = new Packet(KEEP_ALIVE_FRAME);
const QUERY = new Packet(QUERY_FRAME);
const NO_STATES = new Packet(NO_STATES_FRAME);
/** What those get who may not read a document, and what they are asked: its state vector tells of it, too. */
const NO_DOCUMENT = new Packet(syncStep2Frame(EMPTY_UPDATE));
const BLIND_QUESTION = new Packet(syncStep1Frame(EMPTY_STATE_VECTOR));
const NO_NUDGES: ReadonlyMap<Peer, ReadonlyMap<number, News>> = new Map();

/** How often to look for states to renew. */
const RENEWAL_SWEEP_MS = 5_000;
/** How many states a message may speak of besides those that are known: a tab's sibling knows some from elsewhere. */
const SPARE_ENTRIES = 1_000;

/** Longest that a peer may lag and still be told the rest, ms: for longer those who left are remembered. */
const MAX_LAG_MS = 60_000;

interface Missed {
  readonly ids: Set<number>;
  /** ms since the epoch */
  readonly since: number;
}

export class Room {
  readonly name: string;
  readonly peers: Set<Peer> = new Set();
  readonly table: AwarenessTable;
  readonly document: RoomDocument;
  readonly #host: RoomHost;
  /** Its people, once the server side asks: most relays are never asked. A lobby counts its people itself. */
  #people: Aggregator | null = null;
  readonly #outgoing = new OutgoingStates();
  readonly #ticker: Ticker;
  /** Marked ids that have gone, of which nobody has been told yet: one that comes back meanwhile never went. */
  readonly #unmarked = new Set<number>();
  /**
   * Peers that asked for the document and got it. An update that came before what it builds on would be half taken: its
   * deletions at once, the rest later.
   */
  readonly #readers = new Set<Peer>();
  readonly #crowd: Crowd;
  readonly #patches = new PatchedStates();
  readonly #echoes = new Echoes();
  #patchPeers = 0;
  /** Peers that read too slowly, with the client ids that they have missed something of. */
  readonly #missed = new Map<Peer, Missed>();
  #stockPeers = 0;
  /** When a stock client was last seen to go: it remembers clocks up to then. ms since the epoch */
  #stockLeftAt = 0;
  #renewalsAt = 0;

  constructor(name: string, host: RoomHost, makeDocument: (room: Room) => RoomDocument) {
    this.name = name;
    this.#host = host;
    this.#crowd = new Crowd(isLobby(name) ? 0 : host.options.maxCursors);
    this.table = new AwarenessTable(name, host.options, {
      changed: (row) => this.#rowChanged(row),
      removed: (row) => this.#rowRemoved(row),
      stateChanged: (row, changed) => this.#stateChanged(row, changed),
      isFull: (lobby, userId) => host.isFull(lobby, userId),
      sentClock: (id) => this.#outgoing.clockOf(id),
      returned: (peer) => this.#sendSnapshot(peer, this.#outgoing.snapshot(this.#othersThan(peer), Date.now())),
      superseded: (peer, session) => {
        if (peer.trusts) peer.send(control({ kind: "superseded", session }));
      },
    });
    const interval = (): number => {
      const roundMs = host.load.roundMs(this, Date.now());
      return tickMs(host.options.tick, this.peers.size, roundMs);
    };
    this.#ticker = new Ticker(interval, () => this.#flush(), immediate);
    this.document = makeDocument(this);
    if (host.isObserved && !isLobby(name)) this.observe();
  }

  /** Counts its people from now on, and tells of who comes and goes. Returns those present, by user id. */
  observe(): ReadonlyMap<string, User> {
    if (this.#people === null) {
      this.#people = new Aggregator(this.name);
      for (const row of this.table.rows.values()) this.#count(row);
      // who is here already does not come
      this.#people.flush(Date.now());
    }
    return this.#people.users;
  }

  get empty(): boolean {
    return this.peers.size === 0 && this.table.empty;
  }

  join(peer: Peer): void {
    this.peers.add(peer);
    if (!peer.trusts) this.#stockPeers++;
    if (peer.patches) this.#patchPeers++;
    // asked before it is told anything: by the order of its messages, what it says before it answers is no echo
    const question = this.document.ask();
    if (question !== null) peer.send(peer.access.read ? new Packet(question) : BLIND_QUESTION);
    this.#sendSnapshot(peer, this.#firstSnapshot(peer));
  }

  /** Acts on a frame. Throws `FrameError`, having taken nothing of it. */
  receive(peer: Peer, frame: Frame, now: number): void {
    switch (frame.type) {
      case "syncStep1":
        // a stock client waits for an answer, be it empty
        if (!peer.access.read) return peer.send(NO_DOCUMENT);
        for (const packet of this.document.sync(frame.stateVector, peer.patches)) peer.send(packet);
        this.#readers.add(peer);
        return;
      case "syncStep2":
        this.#answered(peer);
        return this.#write(peer, frame.update);
      case "update":
        return this.#write(peer, frame.update);
      case "awareness": {
        // nothing to say but that the page lives; the answer tells it that the relay does
        if (peer.trusts && frame.payload.length === 1 && frame.payload[0] === 0) return peer.send(KEEP_ALIVE);
        if (this.#isEcho(peer, frame.payload)) {
          peer.answers = true;
          return;
        }
        // a stock client says back what it hears of everybody, so what bounds it is the room; the table bounds its own
        const limits = { maxStateBytes: Infinity, maxEntries: 2 * this.table.known + SPARE_ENTRIES };
        const concerns = (id: number, clock: number, isGone: boolean): boolean => {
          // what is another's is an echo, and whoever echoes does so for as long as it reads
          if (!isGone && this.table.rows.get(id)?.owner !== peer && this.table.rows.has(id)) peer.answers = true;
          return this.table.concerns(peer, id, clock, isGone);
        };
        const entries = decodeEntries(frame.payload, limits, concerns);
        if (peer.access.presence) return this.table.apply(peer, entries, now);
        return entries.length > 0 ? this.#host.dropped("awareness") : undefined;
      }
      case "patch":
        if (!peer.patches) throw new FrameError("unexpected patch message");
        if (!peer.access.presence) return this.#host.dropped("awareness");
        // one that is not known as its own must be said whole
        if (!this.table.patch(peer, frame.id, frame.clock, frame.patch, now)) peer.send(QUERY);
        return;
      case "queryAwareness":
        return this.#sendSnapshot(peer, this.#firstSnapshot(peer));
      case "control":
        return this.#control(peer, frame.control);
      case "denied":
        throw new FrameError("unexpected auth message");
      case "states":
        throw new FrameError("unexpected states message");
    }
  }

  /** Takes out a connection that ended. Rows that `isExplicit` go at once; the rest may come back within the grace. */
  leave(peer: Peer, now: number, isExplicit: (row: Row) => boolean): void {
    if (!this.peers.delete(peer)) return;
    this.#readers.delete(peer);
    this.#missed.delete(peer);
    if (peer.patches && --this.#patchPeers === 0) this.#patches.clear();
    if (!peer.trusts) {
      this.#stockPeers--;
      this.#stockLeftAt = now;
    }
    for (const row of this.table.rowsOf(peer)) {
      row.lastSeen = peer.lastSeen;
      if (isExplicit(row)) this.table.remove(row, now);
    }
    const orphans = this.table.orphan(peer);
    if (orphans.length > 0) this.#host.orphaned(this, orphans);
    this.#host.emptied(this);
  }

  /** Gives a row up whose connection did not come back. */
  expire(row: Row, now: number): void {
    if (row.owner === null) this.table.remove(row, now);
    this.#host.emptied(this);
  }

  /** What is known of a peer besides its states changed: it fell silent, or spoke. */
  refreshPeer(peer: Peer): void {
    for (const row of this.table.rowsOf(peer)) this.#rowChanged(row);
  }

  /** Lets observers see a row, or hides it, as the host says now. */
  refreshVisibility(row: Row): void {
    const visible = this.#host.isVisible(this, row);
    if (row.visible === visible) return;
    row.visible = visible;
    if (visible) this.#outgoing.changed(row.id);
    else this.#outgoing.removed(row.id);
    this.#count(row);
    this.#ticker.schedule();
    if (visible && row.mark !== "clear") this.#sendMarks([markEntry(row)]);
  }

  #write(peer: Peer, update: Uint8Array): void {
    if (peer.access.write) this.document.apply(update, peer);
    else this.#host.dropped("document");
  }

  /** Sends an update of the document to all but its author. */
  sendUpdate(packet: Packet, author: unknown): void {
    for (const peer of this.#readers) if (peer !== author) peer.send(packet);
  }

  /** What comes by time: renewals for stock observers, and forgetting. */
  sweep(now: number): void {
    for (const id of this.table.sweep(now)) {
      this.#outgoing.forget(id);
      this.#patches.forget(id);
    }
    if (now - this.#renewalsAt < RENEWAL_SWEEP_MS) return;
    this.#renewalsAt = now;
    // of a room that has fallen quiet no more is kept than has to be
    this.#echoes.forget();
    // those who are told patches were told of fields, which stay what they are
    if (this.#patchPeers === 0) this.table.fold(now - RENEWAL_SWEEP_MS);
    if (this.#stockPeers === 0) return;
    this.#tell(this.#outgoing.takeRenewals(this.table.rows.values(), now), { stockOnly: true });
  }

  /** A peer has read all that it was sent. */
  catchUp(peer: Peer): void {
    const missed = this.#missed.get(peer);
    if (missed === undefined) return;
    this.#missed.delete(peer);
    const now = Date.now();
    // too much is forgotten of what happened meanwhile: it had better begin anew
    if (now - missed.since > MAX_LAG_MS) return peer.close(Close.restart, "missed too much");
    const { rows } = this.table;
    const others = [...missed.ids].filter((id) => rows.get(id)?.owner !== peer);
    if (others.length > 0)
      this.#tellOne(
        peer,
        others.map((id) => this.#outgoing.asOf(id, rows.get(id), now)),
      );
  }

  /** Ends it; peers that are still there hear no more of it. */
  close(): void {
    // the last leave may still wait for its flush
    this.#ticker.stop();
    this.#flush();
    this.peers.clear();
    this.#readers.clear();
    this.#missed.clear();
    this.#host.load.forget(this);
    this.document.close();
  }

  #rowChanged(row: Row): void {
    this.#host.rowChanged(this, row);
    // the host has it now, and with it the user's choice of status: only then can it say who may see the row
    this.refreshVisibility(row);
    if (this.#count(row)) this.#ticker.schedule();
    if (this.#unmarked.delete(row.id) && row.visible) this.#sendMarks([[row.id, "clear", row.lastSeen]]);
    if (row.owner === null) this.#setMark(row, "reconnecting");
    else this.#setMark(row, row.owner.silent ? "silent" : "clear");
  }

  /** Counts a row among the people of the room, if others may see it. Returns whether that is news. */
  #count(row: Row): boolean {
    if (row.visible) return this.#people?.set(row, reportOf(row), Date.now()) === true;
    this.#people?.delete(row, Date.now(), Date.now());
    return false;
  }

  #rowRemoved(row: Row): void {
    if (row.mark !== "clear" && row.visible) this.#unmarked.add(row.id);
    this.#crowd.left(row.id);
    this.#outgoing.removed(row.id);
    this.#people?.delete(row, row.lastSeen, Date.now());
    this.#host.rowRemoved(this, row);
    this.#ticker.schedule();
  }

  #stateChanged(row: Row, changed: ReadonlySet<string>): void {
    if (!row.visible) return;
    const isMove = [...changed].some((name) => !PERSON.has(name));
    const hidden = isMove ? this.#crowd.moved(row.id, Date.now()) : null;
    if (hidden !== null) this.#outgoing.changed(hidden);
    // nobody sees it move
    if (isMove && changed.size === 1 && !this.#crowd.shows(row.id)) return;
    this.#outgoing.changed(row.id);
    this.#ticker.schedule();
  }

  /** What others see of a state: in a crowd, not everybody's cursor. */
  #seen(news: readonly News[]): readonly News[] {
    return news.map((each) =>
      each.state === null || this.#crowd.shows(each.id) ? each : { ...each, state: each.state.person },
    );
  }

  #setMark(row: Row, mark: Mark): void {
    if (row.mark === mark) return;
    row.mark = mark;
    if (row.visible) this.#sendMarks([markEntry(row)]);
  }

  #flush(): void {
    const startedAt = performance.now();
    this.#tell(this.#outgoing.takeChanges(this.table.rows, Date.now()), { stockOnly: false });
    this.#unmarked.clear();
    const events = this.#people?.flush(Date.now()) ?? [];
    if (events.length > 0) this.#host.events(events);
    this.#host.load.flushed(this, performance.now() - startedAt, Date.now());
  }

  /** One message for all of a kind, but for owners that must not see a clock above their own. */
  #tell(told: readonly News[], to: { readonly stockOnly: boolean }): void {
    if (told.length === 0) return;
    const news = this.#seen(told);
    const patches = to.stockOnly || this.#patchPeers === 0 ? null : this.#patches.changes(news);
    const whole = this.#patchPeers === this.peers.size ? null : new WholeStates(news);
    if (whole !== null && this.#stockPeers > 0)
      this.#echoes.told(
        news.map(({ id }) => id),
        whole.encoded,
      );
    const nudges = whole === null ? NO_NUDGES : this.#outgoing.nudges(news, this.table.rows);
    const author = whole === null ? null : this.#authorOf(news);
    for (const peer of this.peers) {
      if ((peer.trusts && to.stockOnly) || !peer.access.observe) continue;
      // in small rooms most news is of one, who knows it; but patches build on what they were told before
      if (peer === author && !peer.patches && !nudges.has(peer)) continue;
      const packet = peer.patches ? patches : (whole?.without(nudges.get(peer)) ?? null);
      if (packet !== null && !this.#skips(peer, news)) peer.send(packet);
    }
  }

  /** Whether a stock client only says back what it heard of others lately: nothing of it would be taken. */
  #isEcho(peer: Peer, update: Uint8Array): boolean {
    const own = peer.trusts ? undefined : this.table.onlyRowOf(peer);
    return own !== undefined && this.#echoes.has(update, own.id);
  }

  /** Whose news it is, if all of it is one peer's. */
  #authorOf(news: readonly News[]): Peer | null {
    let author: Peer | null = null;
    for (const { id, state } of news) {
      const owner = state === null ? null : (this.table.rows.get(id)?.owner ?? null);
      if (owner === null || (author !== null && owner !== author)) return null;
      author = owner;
    }
    return author;
  }

  /** A peer that reads too slowly is told once, when it has caught up, how things are then. */
  #skips(peer: Peer, news: readonly News[]): boolean {
    let missed = this.#missed.get(peer);
    if (missed === undefined) {
      if (!peer.lagging) return false;
      missed = { ids: new Set(), since: Date.now() };
      this.#missed.set(peer, missed);
    }
    for (const { id } of news) missed.ids.add(id);
    return true;
  }

  /** All that a newcomer may see. It may have written some of it itself, before it lost its connection. */
  #firstSnapshot(peer: Peer): News[] {
    const rows = this.#othersThan(peer);
    if (!peer.access.observe) return [];
    if (peer.trusts) return this.#outgoing.snapshot(rows, -1);
    const safe = this.#outgoing.snapshot(
      rows.filter((row) => !row.stock),
      this.#stockLeftAt,
    );
    return [...safe, ...this.#outgoing.preview(rows.filter((row) => row.stock))];
  }

  /** A stock client that had something to say of itself has said it. */
  #answered(peer: Peer): void {
    if (!this.table.answered(peer) || !peer.access.observe) return;
    const rows = this.#othersThan(peer).filter((row) => row.stock);
    const entries = this.#outgoing.afterPreview(rows, this.#stockLeftAt);
    if (entries.length > 0) this.#tellOne(peer, entries);
  }

  #othersThan(peer: Peer): Row[] {
    return [...this.table.rows.values()].filter((row) => row.owner !== peer);
  }

  #sendSnapshot(peer: Peer, news: readonly News[]): void {
    if (!peer.access.observe) return peer.trusts ? peer.send(peer.patches ? NO_STATES : KEEP_ALIVE) : undefined;
    if (peer.patches) peer.send(this.#patches.snapshot(this.#seen(news)));
    else if (news.length > 0 || peer.trusts) this.#tellOne(peer, news);
    if (!peer.trusts) return;
    const marked = [...this.table.rows.values()].filter(({ mark, visible }) => mark !== "clear" && visible);
    if (marked.length > 0) peer.send(control({ kind: "marks", marks: marked.map(markEntry) }));
  }

  /** Tells one peer these states, whole. */
  #tellOne(peer: Peer, told: readonly News[]): void {
    const news = this.#seen(told);
    peer.send(peer.patches ? this.#patches.whole(news) : new WholeStates(news).packet);
  }

  #sendMarks(marks: readonly MarkEntry[]): void {
    const packet = control({ kind: "marks", marks });
    for (const peer of this.peers) if (peer.trusts && peer.access.observe) peer.send(packet);
  }

  #control(peer: Peer, { kind }: Control): void {
    if (kind !== "ping" || !peer.trusts) throw new FrameError(`unexpected control message ${kind}`);
    peer.send(control({ kind: "pong" }));
  }
}

/** What a row says to an aggregator. */
export function reportOf(row: Row): Report {
  const room = isLobby(row.room) ? null : row.room;
  return { room, claim: row.claim, connected: row.owner !== null, silent: row.owner?.silent ?? false };
}

function markEntry({ id, mark, lastSeen }: Row): MarkEntry {
  return [id, mark, lastSeen];
}

function control(message: Control): Packet {
  return new Packet(controlFrame(message));
}
