/** A room of this relay, as it is joined to the same room on other relays. */
import * as encoding from "lib0/encoding";
import type { StateUpdate } from "../../awareness/audience/index.ts";
import { decodeFrame, readRest, readUint, reader, syncStep1Frame } from "../../wire/index.ts";
import type { Room } from "../core/room.ts";
import { type ClusterContext, NOTHING } from "./context.ts";
import type { Message } from "./message.ts";
import { RemoteRelay } from "./remote-relay.ts";
import { Incoming, Outgoing } from "./sequence.ts";
import { RemoteStatesReader, StatesWriter, goneState } from "./states.ts";

/** How long clients' questions for a document may wait for other relays, ms. [BUS-12] */
const HOLD_MS = 1_000;
/** So long where the bus cannot tell how many listen, ms. */
const BLIND_HOLD_MS = 100;
/** Updates of another relay that are younger may not be stored yet when it is lost, ms; and bytes of them at most. [BUS-13] */
const UNSTORED_MS = 10_000;
const MAX_UNSTORED = 4 * 2 ** 20;

interface Peer {
  readonly member: RemoteRelay;
  readonly incoming: Incoming;
  readonly reader: RemoteStatesReader;
  /** What it wrote to the document lately. */
  unstored: { readonly at: number; readonly update: Uint8Array }[];
  unstoredBytes: number;
  /** It has said what it has of the document that was missing here. */
  isSynced: boolean;
}

export class SharedRoom {
  readonly #context: ClusterContext;
  readonly #room: Room;
  readonly #topic: string;
  readonly #outgoing = new Outgoing();
  readonly #writer = new StatesWriter();
  readonly #peers = new Map<string, Peer>();
  readonly #unsubscribe: () => void;
  #holding: ReturnType<typeof setTimeout> | undefined;
  /** How many other relays are waited for; null: that is not known yet. */
  #awaited: number | null = null;

  constructor(context: ClusterContext, room: Room) {
    this.#context = context;
    this.#room = room;
    this.#topic = context.topics.room(room.name);
    this.#unsubscribe = context.subscribe(this.#topic, (message) => this.hear(message));
    room.outlet = {
      states: (updates) => this.#tellStates(updates),
      update: (message) => this.#send("doc", message),
      renew: () => this.#send("renew", NOTHING),
    };
    context.publish(this.#topic, "ask", room.name, 0, NOTHING);
    if (context.relaysSeen > 0) this.#hold();
  }

  get isShared(): boolean {
    return this.#peers.size > 0;
  }

  /** What all others here have said is known. */
  get isWhole(): boolean {
    for (const { incoming } of this.#peers.values()) if (!incoming.isWhole) return false;
    return true;
  }

  hear({ kind, relay, seq, body }: Message): void {
    const now = this.#context.hub.clock.now();
    switch (kind) {
      case "ask":
        this.#peer(relay);
        return this.#answer(relay, now);
      case "snapshot":
        return this.#takeSnapshot(relay, body, now);
      case "states":
      case "doc":
      case "renew":
      case "tail": {
        const peer = this.#peer(relay);
        const order = peer.incoming.order(seq, kind === "tail");
        if (order === "gap") this.#context.stats.gaps++;
        if (order !== "take") return this.#askIfDue(relay, peer, now);
        return this.#take(kind, relay, peer, body, now);
      }
      case "bye":
        return this.#part(relay, body[0] === 1 ? 1000 : 1006);
      case "raise":
        return this.#raise(body);
      case "sync1":
        return this.#sync(relay, body.slice());
      case "sync2":
        return this.#takeSync(relay, body, now);
      default:
    }
  }

  /** Another relay is lost: its people are as if their connections had been cut. [BUS-16] */
  lost(relay: string): void {
    const peer = this.#peers.get(relay);
    if (peer === undefined) return;
    const since = this.#context.hub.clock.now() - UNSTORED_MS;
    this.#room.document.secure(peer.unstored.filter(({ at }) => at >= since).map(({ update }) => update));
    this.#part(relay, 1006);
  }

  /** What is known of others may be old: they are asked again. */
  heal(): void {
    for (const { incoming } of this.#peers.values()) incoming.doubt();
    this.#context.publish(this.#topic, "ask", this.#room.name, 0, NOTHING);
  }

  sweep(now: number): void {
    for (const [relay, peer] of this.#peers) this.#askIfDue(relay, peer, now);
    if (this.#peers.size > 0 && this.#outgoing.isTailDue(now)) {
      this.#context.publish(this.#topic, "tail", this.#room.name, this.#outgoing.seq, NOTHING);
    }
  }

  /** @param isFinal nobody is here any more; else this relay stops, and its people may come back elsewhere */
  close(isFinal: boolean): void {
    this.#room.outlet = null;
    this.#unsubscribe();
    this.#release();
    if (this.#peers.size > 0) {
      this.#context.publish(this.#topic, "bye", this.#room.name, 0, Uint8Array.of(isFinal ? 1 : 0));
    }
  }

  #peer(relay: string): Peer {
    const known = this.#peers.get(relay);
    if (known !== undefined) return known;
    const { hub } = this.#context;
    const now = hub.clock.now();
    const peer: Peer = {
      member: new RemoteRelay(relay, "@lobby", now),
      incoming: new Incoming(),
      reader: new RemoteStatesReader(),
      unstored: [],
      unstoredBytes: 0,
      isSynced: false,
    };
    this.#peers.set(relay, peer);
    hub.join(peer.member, this.#room.name);
    this.#askIfDue(relay, peer, now);
    return peer;
  }

  #part(relay: string, code: number): void {
    const peer = this.#peers.get(relay);
    if (peer === undefined) return;
    this.#peers.delete(relay);
    if (this.#peers.size === 0) this.#writer.clear();
    const { hub } = this.#context;
    hub.leave(peer.member, code, hub.clock.now());
    this.#releaseIfAnswered();
  }

  #askIfDue(relay: string, { incoming }: Peer, now: number): void {
    if (incoming.isAskDue(now)) this.#context.tell(relay, "ask", this.#room.name);
  }

  /** Nothing is sent while no other relay is in the room. [BUS-10] */
  #send(kind: "states" | "doc" | "renew", body: Uint8Array): void {
    if (this.#peers.size === 0) return;
    const seq = this.#outgoing.next(this.#context.hub.clock.now());
    this.#context.publish(this.#topic, kind, this.#room.name, seq, body);
  }

  #tellStates(updates: readonly StateUpdate[]): void {
    if (this.#peers.size === 0) return;
    const body = this.#writer.changes(updates, this.#context.hub.clock.now());
    if (body !== null) this.#send("states", body);
  }

  #answer(relay: string, now: number): void {
    // what waits is told first, by which the number rises
    const states = this.#room.ownStates();
    const body = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, this.#outgoing.seq);
      encoding.writeUint8Array(encoder, this.#writer.whole(states, now));
    });
    this.#context.tell(relay, "snapshot", this.#room.name, body);
  }

  #takeSnapshot(relay: string, body: Uint8Array, now: number): void {
    const peer = this.#peer(relay);
    const from = reader(body);
    const seq = readUint(from);
    const before = peer.reader.ids;
    peer.reader.clear();
    const states = peer.reader.read(readRest(from), now);
    const named = new Set(states.map(({ id }) => id));
    // what it does not name is gone
    const gone = [...before].filter((id) => !named.has(id)).map((id) => goneState(id, now));
    peer.incoming.whole(seq);
    this.#takeStates(relay, peer, [...gone, ...states], now);
    const { document, name } = this.#room;
    document.whenReady(() => {
      const question = document.ask();
      const frame = question === null ? null : decodeFrame(question);
      if (frame?.type === "syncStep1") this.#context.tell(relay, "sync1", name, syncStep1Frame(frame.stateVector));
    });
  }

  #take(kind: "states" | "doc" | "renew" | "tail", relay: string, peer: Peer, body: Uint8Array, now: number): void {
    peer.member.lastSeen = now;
    switch (kind) {
      case "states":
        return this.#takeStates(relay, peer, peer.reader.read(body, now), now);
      case "doc":
        return this.#takeUpdate(peer, body, now);
      case "renew":
        return this.#room.renewOwn();
      case "tail":
    }
  }

  #takeStates(relay: string, peer: Peer, states: ReturnType<RemoteStatesReader["read"]>, now: number): void {
    const behind = this.#context.hub.receiveRemote(peer.member, states, now);
    if (behind.length === 0) return;
    const body = encoding.encode((encoder) => {
      for (const { id, clock } of behind) {
        encoding.writeVarUint(encoder, id);
        encoding.writeVarUint(encoder, clock);
      }
    });
    this.#context.tell(relay, "raise", this.#room.name, body);
  }

  #raise(body: Uint8Array): void {
    const from = reader(body);
    while (from.pos < from.arr.length) this.#room.raise(readUint(from), readUint(from));
  }

  /** Tells another relay what it has not of the document. */
  #sync(relay: string, body: Uint8Array): void {
    const { document, name } = this.#room;
    const frame = decodeFrame(body);
    if (frame.type !== "syncStep1") return;
    document.whenReady(() => {
      for (const { message } of document.sync(frame.stateVector)) this.#context.tell(relay, "sync2", name, message);
    });
  }

  #takeSync(relay: string, body: Uint8Array, now: number): void {
    const peer = this.#peer(relay);
    const frame = decodeFrame(body);
    if (frame.type !== "syncStep2" && frame.type !== "update") return;
    this.#context.hub.receive(peer.member, frame, now);
    if (frame.type !== "syncStep2") return;
    peer.isSynced = true;
    this.#releaseIfAnswered();
  }

  #takeUpdate(peer: Peer, body: Uint8Array, now: number): void {
    const frame = decodeFrame(body.slice());
    if (frame.type !== "update" && frame.type !== "syncStep2") return;
    this.#context.hub.receive(peer.member, frame, now);
    peer.unstored.push({ at: now, update: frame.update });
    peer.unstoredBytes += frame.update.length;
    const since = now - UNSTORED_MS;
    let [first] = peer.unstored;
    while (first !== undefined && (first.at < since || peer.unstoredBytes > MAX_UNSTORED)) {
      peer.unstored.shift();
      peer.unstoredBytes -= first.update.length;
      [first] = peer.unstored;
    }
  }

  /** Clients' questions wait until all relays in the room have said what they have of the document. */
  #hold(): void {
    this.#room.holdDocument();
    const listeners = this.#context.listeners(this.#topic);
    this.#holding = setTimeout(() => this.#release(), listeners === null ? BLIND_HOLD_MS : HOLD_MS);
    if (listeners !== null) void this.#awaitListeners(listeners);
  }

  async #awaitListeners(listeners: Promise<number>): Promise<void> {
    try {
      this.#awaited = (await listeners) - 1;
      this.#releaseIfAnswered();
    } catch {
      this.#release();
    }
  }

  #releaseIfAnswered(): void {
    if (this.#holding === undefined || this.#awaited === null) return;
    const synced = [...this.#peers.values()].filter(({ isSynced }) => isSynced).length;
    if (synced >= this.#awaited) this.#release();
  }

  #release(): void {
    if (this.#holding === undefined) return;
    clearTimeout(this.#holding);
    this.#holding = undefined;
    this.#room.releaseDocument();
  }
}
