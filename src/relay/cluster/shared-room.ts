/** A room of this relay, as it is joined to the same room on other relays. */
import type * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import type { RemoteState } from "../../awareness/index.ts";
import type { StateUpdate } from "../../awareness/audience/index.ts";
import { Close, decodeFrame, readRest, readUint, reader, syncStep1Frame } from "../../wire/index.ts";
import type { Room } from "../core/room.ts";
import { MAX_REMOTE_CLOCK, bounded, isWithinBounds } from "./bounds.ts";
import { type ClusterContext, NOTHING } from "./context.ts";
import { Awaited } from "./inquiries/awaited.ts";
import { Bye, type Message, type MessageKind } from "./message.ts";
import { Lingering } from "./room/lingering.ts";
import { messageBody, takeMessage } from "./one-off.ts";
import { RemoteRelay } from "./room/remote-relay.ts";
import { Renewals } from "./room/renewals.ts";
import { SharedTopic, type TopicHost } from "./topic/shared-topic.ts";
import { RemoteStatesReader, StatesWriter, goneState } from "./states.ts";

/** Updates of another relay that are younger than this may not be stored yet when it is lost, ms. They are kept, up to so many bytes. [BUS-13] */
const UNSTORED_MS = 30_000;
const MAX_UNSTORED = 4 * 2 ** 20;

/** A relay that does not answer what it has of a document is asked again so much later, ms. It may have none, so three times are enough. */
const SYNC_AGAIN_MS = [2_000, 4_000, 8_000];

interface Peer {
  readonly relay: string;
  readonly member: RemoteRelay;
  readonly reader: RemoteStatesReader;
  /** What it has sent of the document lately that was new here. */
  unstored: { readonly at: number; readonly update: Uint8Array }[];
  unstoredBytes: number;
  /** It has sent all of the document that was missing here. */
  isSynced: boolean;
  /** When it was last asked for that, and how often before; null: it has answered, or was not asked. */
  asked: { readonly at: number; readonly count: number } | null;
}

export class SharedRoom implements TopicHost<Peer> {
  readonly wholeKind: MessageKind = "snapshot";
  readonly kinds: ReadonlySet<MessageKind> = new Set(["states", "doc", "renew"]);
  readonly #context: ClusterContext;
  readonly #room: Room;
  readonly topic: SharedTopic<Peer>;
  readonly #writer = new StatesWriter();
  readonly #lingering: Lingering;
  readonly #renewals: Renewals;
  /** Relays whose parts of the document the questions of clients wait for; null: there was none. [BUS-12] */
  #awaited: Awaited | null = null;

  constructor(context: ClusterContext, room: Room) {
    this.#context = context;
    this.#room = room;
    this.#renewals = new Renewals(room.register);
    this.#lingering = new Lingering({
      hold: () => context.hub.hold(room.name).release,
      isStored: () => context.hub.documents.isStored(room.name),
    });
    const topic = context.topics.room(room.name);
    this.topic = new SharedTopic<Peer>(context, topic, room.name, this, (message) => this.hear(message));
    room.sharing.outlet = {
      states: (updates) => this.#tellStates(updates),
      update: (message) => this.topic.send("doc", message),
      taken: (update, relay) => this.#keepUnstored(update, relay),
      renew: () => {
        this.topic.send("renew", NOTHING);
        this.#renewals.asked(context.hub.clock.now());
      },
      message: (message) => {
        if (this.isShared) context.publish(topic, "message", room.name, 0, messageBody(message, null));
      },
    };
    this.topic.ask();
    if (!context.mayHaveOthers) return;
    room.sharing.holdDocument();
    this.#awaited = new Awaited(context.listeners(topic), () => this.#synced);
    this.#awaited.whenOver(() => room.sharing.releaseDocument());
  }

  get isShared(): boolean {
    return this.topic.isShared;
  }

  /** Whether all other relays that have the room were heard, and all is known that they have said. */
  get isKnown(): boolean {
    return this.#awaited?.isOver !== false && this.topic.isWhole;
  }

  /** Calls back once all other relays that have the room were heard, or are not waited for any more. */
  whenKnown(run: () => void): void {
    if (this.#awaited === null) run();
    else this.#awaited.whenOver(run);
  }

  get #synced(): number {
    return [...this.topic.peers()].filter(({ isSynced }) => isSynced).length;
  }

  hear(message: Message): void {
    const { kind, relay, body } = message;
    switch (kind) {
      case "bye":
        if (body[0] === Bye.stopsUnstored) this.#secure(this.topic.get(relay), true);
        return this.#part(relay, body[0] === Bye.nobody ? Close.normal : Close.restart);
      case "message":
        return takeMessage(this.#room, body);
      case "raise":
        return this.#raise(body);
      case "sync1":
        return this.#sync(relay, body.slice());
      case "sync2":
        return this.#takeSync(relay, body);
      default:
        this.topic.hear(message);
    }
  }

  /** Another relay is lost: its people are as if their connections had been cut. [BUS-16] */
  lost(relay: string): void {
    this.#secure(this.topic.get(relay), true);
    this.#part(relay, 1006);
  }

  /** Parts of a long message come from a relay. */
  isComing(relay: string): void {
    this.topic.isComing(relay);
    const peer = this.topic.get(relay);
    if (peer !== undefined && peer.asked !== null) {
      peer.asked = { ...peer.asked, at: this.#context.hub.clock.now() };
    }
  }

  /** Its document was changed. */
  edited(): void {
    this.#lingering.edited();
  }

  sweep(now: number): void {
    const moved = this.#lingering.takeMoved(now);
    if (moved.length > 0) this.#tell(moved, now);
    if (this.#renewals.isDue(now)) this.topic.send("renew", NOTHING);
    this.topic.sweep(now);
    for (const peer of this.topic.peers()) {
      forgetStored(peer, now);
      const { asked } = peer;
      // [BUS-46] the question, or the answer, may have been lost
      if (asked !== null && now - asked.at >= (SYNC_AGAIN_MS[asked.count] ?? Infinity)) {
        this.#askForDocument(peer.relay, peer, asked.count + 1);
      }
    }
    this.#lingering.settle();
  }

  /** @param isFinal nobody is here any more; else this relay stops, and its people may come back elsewhere */
  close(isFinal: boolean): void {
    this.#room.sharing.outlet = null;
    this.#lingering.end();
    this.#awaited?.end();
    // nobody will be here to store it if the others are lost, though clients have seen it here
    if (isFinal) for (const peer of this.topic.peers()) this.#secure(peer, false);
    const isStored = this.#context.hub.documents.isStored(this.#room.name);
    this.topic.close(isFinal ? Bye.nobody : isStored ? Bye.stops : Bye.stopsUnstored);
  }

  met(relay: string): Peer {
    const { hub } = this.#context;
    const member = new RemoteRelay(relay, "@lobby", hub.clock.now());
    hub.join(member, this.#room.name);
    return {
      relay,
      member,
      reader: new RemoteStatesReader(),
      unstored: [],
      unstoredBytes: 0,
      isSynced: false,
      asked: null,
    };
  }

  knownVector(): Uint8Array {
    return NOTHING;
  }

  writeWhole(encoder: encoding.Encoder): void {
    // changes that wait are told first, and have lower numbers
    const states = this.#room.sharing.ownStates();
    encoding.writeUint8Array(encoder, this.#writer.whole(states, this.#context.hub.clock.now()));
  }

  #keepUnstored(update: Uint8Array, relay: unknown): void {
    const peer = [...this.topic.peers()].find(({ member }) => member === relay);
    if (peer !== undefined) keepUnstored(peer, update, this.#context.hub.clock.now());
    // the relay was lost before the document was loaded here
    else this.#room.document.secure([update], true);
  }

  /**
   * Stores what another relay has sent lately, and may not have stored. [BUS-13]
   *
   * @param isGone that relay may not have told either that the document was changed
   */
  #secure(peer: Peer | undefined, isGone: boolean): void {
    if (peer === undefined) return;
    forgetStored(peer, this.#context.hub.clock.now());
    const updates = peer.unstored.map(({ update }) => update);
    this.#room.document.secure(updates, isGone);
  }

  #part(relay: string, code: number): void {
    const peer = this.topic.part(relay);
    if (peer === undefined) return;
    if (!this.topic.isShared) this.#writer.clear();
    const { hub } = this.#context;
    hub.leave(peer.member, code, hub.clock.now());
    this.#awaited?.check();
  }

  #tellStates(updates: readonly StateUpdate[]): void {
    // nobody hears it: the next relay that asks is told all
    if (!this.topic.isShared) return this.topic.send("states", NOTHING);
    const now = this.#context.hub.clock.now();
    this.#tell(this.#lingering.withoutMoved(updates, now), now);
  }

  #tell(updates: readonly StateUpdate[], now: number): void {
    const body = this.#writer.changes(updates, now);
    if (body !== null) this.topic.send("states", body);
  }

  takeWhole(relay: string, peer: Peer, from: decoding.Decoder, now: number): void {
    const before = peer.reader.ids;
    peer.reader.clear();
    const states = peer.reader.read(readRest(from), now);
    const named = new Set(states.map(({ id }) => id));
    // ids that it does not name are gone
    const gone = [...before].filter((id) => !named.has(id)).map((id) => goneState(id, now));
    this.#takeStates(relay, peer, [...gone, ...states], now);
    this.#askForDocument(relay, peer, 0);
  }

  /** @param count how often it was asked in vain */
  #askForDocument(relay: string, peer: Peer, count: number): void {
    const { document, name } = this.#room;
    peer.asked = { at: this.#context.hub.clock.now(), count };
    document.whenReady(() => {
      const question = document.ask();
      const frame = question === null ? null : decodeFrame(question);
      if (frame?.type === "syncStep1") this.#context.tell(relay, "sync1", name, syncStep1Frame(frame.stateVector));
    });
  }

  take({ kind, relay, body }: Message, peer: Peer, now: number): void {
    peer.member.lastSeen = now;
    if (kind === "states") this.#takeStates(relay, peer, peer.reader.read(body, now), now);
    else if (kind === "doc") this.#takeUpdate(peer, body, now);
    else if (kind === "renew") this.#room.sharing.renewOwn();
  }

  #takeStates(relay: string, peer: Peer, said: readonly RemoteState[], now: number): void {
    const { hub } = this.#context;
    const date = hub.dates.date();
    // [BUS-43]
    const states = said.map((each) => (isWithinBounds(each) ? bounded(each, date, now) : goneState(each.id, now)));
    const behind = hub.receiveRemote(peer.member, states, now);
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
    while (from.pos < from.arr.length) {
      const [id, clock] = [readUint(from), readUint(from)];
      if (clock <= MAX_REMOTE_CLOCK) this.#room.sharing.raise(id, clock);
    }
  }

  /** Sends another relay the parts of the document that it does not have. */
  #sync(relay: string, body: Uint8Array): void {
    const { document, name } = this.#room;
    const frame = decodeFrame(body);
    if (frame.type !== "syncStep1") return;
    document.whenReady(() => {
      for (const { message } of document.sync(frame.stateVector)) this.#context.tell(relay, "sync2", name, message);
    });
  }

  #takeSync(relay: string, body: Uint8Array): void {
    const peer = this.topic.meet(relay);
    const frame = decodeFrame(body);
    if (frame.type !== "syncStep2" && frame.type !== "update") return;
    const { hub } = this.#context;
    const now = hub.clock.now();
    hub.receive(peer.member, frame, now);
    if (frame.type !== "syncStep2") return;
    peer.isSynced = true;
    peer.asked = null;
    this.#awaited?.check();
  }

  #takeUpdate(peer: Peer, body: Uint8Array, now: number): void {
    const frame = decodeFrame(body.slice());
    if (frame.type !== "update" && frame.type !== "syncStep2") return;
    this.#context.hub.receive(peer.member, frame, now);
  }
}

function keepUnstored(peer: Peer, update: Uint8Array, now: number): void {
  peer.unstored.push({ at: now, update });
  peer.unstoredBytes += update.length;
  forgetStored(peer, now);
}

/** Forgets updates that the other relay has stored by now, and those that are too many: the last is kept, however long it is. */
function forgetStored(peer: Peer, now: number): void {
  for (let [first] = peer.unstored; first !== undefined; [first] = peer.unstored) {
    const isKept = peer.unstoredBytes <= MAX_UNSTORED || peer.unstored.length === 1;
    if (first.at >= now - UNSTORED_MS && isKept) return;
    peer.unstored.shift();
    peer.unstoredBytes -= first.update.length;
  }
}
