/**
 * A room: peers, the awareness table, a document, and the flush that tells every peer what changed.
 *
 * It knows peers, not sockets. What a connection's frames mean is decided here; who may open one, and when a silent one
 * is given up, is not.
 */
import { Aggregator, type Report } from "../aggregator/index.ts";
import type { PresenceEvent } from "../presence/index.ts";
import {
  type Control,
  type Entry,
  type Frame,
  FrameError,
  type Mark,
  type MarkEntry,
  Ticker,
  awarenessFrame,
  controlFrame,
  decodeEntries,
  encodeEntries,
  isLobby,
} from "../wire/index.ts";
import type { RoomDocument } from "./document.ts";
import type { RelayOptions } from "./options.ts";
import type { Peer } from "./peer.ts";
import { AwarenessTable, type Row } from "./table.ts";

/** What a room needs of the relay around it. */
export interface RoomHost {
  readonly options: RelayOptions;
  /** A row is new or its claim or connection changed. */
  rowChanged(room: Room, row: Row): void;
  rowRemoved(room: Room, row: Row): void;
  /** Whether observers may see a row now. */
  isVisible(room: Room, row: Row): boolean;
  /** A lost connection's row waits: `expire` it after the grace. */
  orphaned(room: Room, rows: readonly Row[]): void;
  events(events: readonly PresenceEvent[]): void;
  /** Nothing is left in it. */
  emptied(room: Room): void;
}

/** How often renewals are passed on to observers that expire what is not renewed: well within their 30 s. */
const RENEWAL_MS = 10_000;

export class Room {
  readonly name: string;
  readonly peers: Set<Peer> = new Set();
  readonly table: AwarenessTable;
  /** The people of this room, for the server side; a lobby counts its people itself. */
  readonly aggregator: Aggregator | null;
  readonly document: RoomDocument;
  readonly #host: RoomHost;
  readonly #ticker: Ticker;
  readonly #marks = new Map<Row, Mark>();
  #stockPeers = 0;
  #renewedAt = 0;

  constructor(name: string, host: RoomHost, makeDocument: (room: Room) => RoomDocument) {
    this.name = name;
    this.#host = host;
    this.aggregator = isLobby(name) ? null : new Aggregator(name);
    this.table = new AwarenessTable(name, host.options.maxStates, {
      changed: (row) => this.#rowChanged(row),
      removed: (row) => this.#rowRemoved(row),
      dirty: () => this.#ticker.schedule(),
      nudge: (peer, id, clock) => peer.send(statesFrame([{ id, clock, state: null }])),
      superseded: (peer, session) => {
        if (peer.trusts) peer.send(controlFrame({ kind: "superseded", session }));
      },
    });
    this.#ticker = new Ticker(host.options.tick, () => this.#flush());
    this.document = makeDocument(this);
  }

  join(peer: Peer): void {
    this.peers.add(peer);
    if (!peer.trusts) this.#stockPeers++;
    this.#sendSnapshot(peer);
  }

  /** Acts on a frame. Throws `FrameError`, having taken nothing of it. */
  receive(peer: Peer, frame: Frame, now: number): void {
    switch (frame.type) {
      case "syncStep1":
        for (const answer of this.document.sync(frame.stateVector)) peer.send(answer);
        return;
      case "syncStep2":
      case "update":
        return this.document.apply(frame.update, peer);
      case "awareness": {
        const { maxState, maxStates } = this.#host.options;
        // a stock client answers for everybody it sees, so the number of states is bounded by the room, not by its own
        const maxEntries = Math.max(maxStates, 2 * this.table.rows.size + 64);
        return this.table.apply(peer, decodeEntries(frame.payload, { maxStateBytes: maxState, maxEntries }), now);
      }
      case "queryAwareness":
        return this.#sendSnapshot(peer);
      case "control":
        return this.#control(peer, frame.control);
      case "denied":
        throw new FrameError("unexpected auth message");
    }
  }

  /** Takes out a connection that ended. `explicit`: it left; otherwise it may come back within the grace. */
  leave(peer: Peer, now: number, isExplicit: (row: Row) => boolean): void {
    if (!this.peers.delete(peer)) return;
    if (!peer.trusts) this.#stockPeers--;
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

  /** Lets observers see a row, or hides it, as the host says now. */
  refreshVisibility(row: Row): void {
    this.table.setVisible(row, this.#host.isVisible(this, row));
  }

  /** Sends a frame to all peers but one. */
  broadcast(frame: Uint8Array, except: unknown = null): void {
    for (const peer of this.peers) if (peer !== except) peer.send(frame);
  }

  /** What comes by time: renewals for stock observers, and forgetting. */
  sweep(now: number): void {
    this.table.sweep(now);
    if (now - this.#renewedAt < RENEWAL_MS) return;
    this.#renewedAt = now;
    const renewals = this.table.takeRenewals();
    if (renewals.length === 0 || this.#stockPeers === 0) return;
    const frame = statesFrame(renewals);
    for (const peer of this.peers) if (!peer.trusts) peer.send(frame);
  }

  get empty(): boolean {
    return this.peers.size === 0 && this.table.empty;
  }

  close(): void {
    // the last leave may still wait for its flush
    this.#ticker.stop();
    this.#flush();
    this.document.close();
  }

  #rowChanged(row: Row): void {
    const now = Date.now();
    if (this.aggregator?.set(row, reportOf(row), now) === true) this.#ticker.schedule();
    this.#host.rowChanged(this, row);
    // the host has it now, and with it the user's choice of status: only then can it say who may see the row
    this.refreshVisibility(row);
    this.#setMark(row, row.owner === null ? "reconnecting" : "clear");
  }

  #rowRemoved(row: Row): void {
    this.#marks.delete(row);
    this.aggregator?.delete(row, row.lastSeen, Date.now());
    this.#host.rowRemoved(this, row);
    this.#ticker.schedule();
  }

  #setMark(row: Row, mark: Mark): void {
    if ((this.#marks.get(row) ?? "clear") === mark) return;
    if (mark === "clear") this.#marks.delete(row);
    else this.#marks.set(row, mark);
    if (row.visible) this.#sendMarks([markEntry(row, mark)]);
  }

  #flush(): void {
    const entries = this.table.takeChanges();
    if (entries.length > 0) this.broadcast(statesFrame(entries));
    const events = this.aggregator?.flush(Date.now()) ?? [];
    if (events.length > 0) this.#host.events(events);
  }

  #sendSnapshot(peer: Peer): void {
    const rows = this.table.snapshot();
    if (rows.length > 0 || peer.trusts) peer.send(statesFrame(rows));
    const marked = [...this.#marks].filter(([row]) => row.visible);
    if (marked.length > 0 && peer.trusts) {
      peer.send(controlFrame({ kind: "marks", marks: marked.map(([row, mark]) => markEntry(row, mark)) }));
    }
  }

  #sendMarks(marks: readonly MarkEntry[]): void {
    const frame = controlFrame({ kind: "marks", marks });
    for (const peer of this.peers) if (peer.trusts) peer.send(frame);
  }

  #control(peer: Peer, control: Control): void {
    if (control.kind !== "ping") throw new FrameError(`unexpected control message ${control.kind}`);
    peer.send(controlFrame({ kind: "pong" }));
  }
}

/** What a row says to an aggregator. */
export function reportOf(row: Row): Report {
  const room = isLobby(row.room) ? null : row.room;
  return { room, claim: row.claim, connected: row.owner !== null, silent: false };
}

function markEntry(row: Row, mark: Mark): MarkEntry {
  return [row.id, mark, row.lastSeen];
}

function statesFrame(entries: readonly Entry[]): Uint8Array {
  return awarenessFrame(encodeEntries(entries));
}
