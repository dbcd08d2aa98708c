/**
 * Joins this relay to others over a bus. In a room that has clients of two relays, each relay is a member of the other's room; in a
 * lobby, each relay reads the other's shard. PROTOCOL.md has the messages. [BUS-1]
 */
import * as encoding from "lib0/encoding";
import { FrameError, isLobby, readUint, reader } from "../../wire/index.ts";
import type { Hub } from "../core/hub.ts";
import { LackingError } from "../core/lobby/remote-shards.ts";
import type { Room } from "../core/room.ts";
import type { Bus } from "../ports/bus.ts";
import { BEAT_MS, Beats, CHECK_MS } from "./beats.ts";
import { type ClusterContext, type ClusterInfo, type ClusterStats, NOTHING } from "./context.ts";
import { Healing } from "./healing.ts";
import { type AskedKick, type Kick, type Refresh, kick, kicksOf, readKick, writeKick } from "./kicks.ts";
import { LostRelays } from "./lost-relays.ts";
import { Bye, type Message, type MessageKind, Topics, decodeMessage, encodeMessage } from "./message.ts";
import { Awaited } from "./inquiries/awaited.ts";
import { Elsewhere } from "./inquiries/elsewhere.ts";
import { INQUIRY_KINDS, Inquiries } from "./inquiries/inquiries.ts";
import { readPlace, writePlace } from "./inquiries/place.ts";
import { messageBody } from "./one-off.ts";
import { Assembler } from "./parts/assembler.ts";
import { PART_BYTES, Post } from "./parts/post.ts";
import { SharedLobby } from "./shared-lobby.ts";
import { SharedRoom } from "./shared-room.ts";
import { Farewells } from "./topic/farewells.ts";
import { Numbers } from "./topic/sequence.ts";

/** While the bus is lost, the relay connects to it anew after so many looks. */
const REVIVE_CHECKS = 20;

export interface ClusterOptions {
  /** What the names of topics begin with. Default `cp1:`. */
  readonly prefix?: string | undefined;
  /** How long people may take to come back who were connected to a relay that is lost, ms. */
  readonly graceMs: number;
  /** How long they may take when the relay has said that it stops, ms. */
  readonly moveGraceMs: number;
  /** Asks the connections that a user has to this relay for new tokens. Returns how many. @param lobby null: in all lobbies */
  readonly refresh: (userId: string, lobby: string | null) => number;
  /** A message that is longer goes in parts of this length, bytes. Default: 256 KiB. */
  readonly partBytes?: number | undefined;
  readonly onError: (error: unknown) => void;
}

export class Cluster implements ClusterContext {
  readonly hub: Hub;
  readonly topics: Topics;
  readonly numbers: Numbers = new Numbers();
  readonly stats: ClusterStats = { gaps: 0, refused: 0, echoMs: null };
  /** Finds out from other relays what they know. */
  readonly elsewhere: Elsewhere;
  readonly #bus: Bus;
  readonly #options: ClusterOptions;
  readonly #beats: Beats;
  readonly inquiries: Inquiries;
  readonly #post: Post;
  readonly #assembler = new Assembler();
  /** Waits until this relay has heard of the relays that were there before it. */
  readonly #introduction: Awaited;
  /** Resolves once a beat of this relay has come back for the first time: then the bus carries messages. */
  readonly #firstEcho: Promise<void>;
  #onEchoed: () => void = () => {};
  readonly #rooms = new Map<string, SharedRoom>();
  readonly #lobbies = new Map<string, SharedLobby>();
  readonly #lostRelays: LostRelays;
  readonly #healing: Healing;
  readonly #farewells: Farewells;
  readonly #undo: (() => void)[] = [];
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #beatSentAt = 0;
  /** How many looks in a row have found the bus lost. */
  #checksDown = 0;
  #isPartial = false;

  constructor(hub: Hub, bus: Bus, options: ClusterOptions) {
    this.hub = hub;
    this.#bus = bus;
    this.#options = options;
    this.topics = new Topics(options.prefix ?? "cp1:");
    this.#beats = new Beats(hub.clock, {
      link: (isUp) => this.#linked(isUp),
      skipped: () => this.#heal(),
      found: (relay) => this.#found(relay),
      lost: (relay, hasSaidSo) => this.#lost(relay, hasSaidSo),
    });
    this.#healing = new Healing(hub.clock, (act) => this.guarded(act));
    this.#farewells = new Farewells((name) => {
      this.publish(this.topics.of(name), "bye", name, 0, Uint8Array.of(Bye.nobody));
    });
    this.#lostRelays = new LostRelays({
      graceMs: options.graceMs,
      moveGraceMs: options.moveGraceMs,
      expire: (relay) => this.guarded(() => this.#drop(relay)),
    });
    this.#post = new Post({
      relay: hub.shard,
      partBytes: options.partBytes ?? PART_BYTES,
      publish: (topic, bytes) => bus.publish(topic, bytes),
      onError: options.onError,
    });
    this.inquiries = new Inquiries({
      hub,
      relays: () => (this.#beats.isUp ? this.#beats.relays.keys() : null),
      tell: this.tell.bind(this),
    });
    this.elsewhere = new Elsewhere({
      hub,
      inquiries: this.inquiries,
      isKnown: (name) => this.#shared(name)?.isKnown === true,
      whenKnown: (name, run) => this.#whenKnown(name, run),
      tellDeleted: (room) => this.publish(this.topics.beat, "forget", room, 0, NOTHING),
      tellRemoved: (place) => this.publish(this.topics.beat, "remove", place.room, 0, writePlace(place)),
    });
    this.#undo.push(
      this.subscribe(this.topics.beat, (message) => this.#hearBeat(message)),
      this.subscribe(this.topics.inbox(hub.shard), (message) => this.#route(message)),
    );
    this.#firstEcho = new Promise((resolve) => (this.#onEchoed = resolve));
    this.#introduction = new Awaited(this.listeners(this.topics.beat), () => this.relaysSeen);
    // questions that were asked before may not have been heard
    this.#introduction.whenOver(() => this.#heal());
    this.#beat();
    this.#timers.push(
      setInterval(() => this.guarded(() => this.#beat()), BEAT_MS),
      setInterval(() => this.guarded(() => this.#check()), CHECK_MS),
    );
  }

  get info(): ClusterInfo {
    return { ...this.stats, isUp: this.#beats.isUp, relays: this.relaysSeen, dropped: this.#post.dropped };
  }

  get relaysSeen(): number {
    return this.#beats.relays.size;
  }

  /** The relays that are heard, this one too; null: the bus is lost, so that nobody can be judged. */
  get heard(): ReadonlySet<string> | null {
    return this.#beats.isUp ? new Set([this.hub.shard, ...this.#beats.relays.keys()]) : null;
  }

  get isAlone(): boolean {
    return !this.#beats.isUp || (this.#introduction.isOver && this.relaysSeen === 0);
  }

  get mayHaveOthers(): boolean {
    return this.relaysSeen > 0 || !this.#introduction.isOver;
  }

  whenIntroduced(run: () => void): void {
    this.#introduction.whenOver(run);
  }

  /** A room has opened here. */
  opened(room: Room): void {
    this.#farewells.forget(room.name);
    if (!isLobby(room.name)) {
      this.#rooms.set(room.name, new SharedRoom(this, room));
      // [BUS-20] nobody can say whether it is shared
      if (!this.#beats.isUp) room.sharing.setPartial(true);
      return;
    }
    const lobby = this.hub.lobbies.get(room.name);
    if (lobby !== undefined) this.#lobbies.set(room.name, new SharedLobby(this, lobby));
    if (this.#isPartial) room.sharing.setPartial(true);
  }

  /** The document of a room was changed. */
  edited(room: string): void {
    this.#rooms.get(room)?.edited();
  }

  /** A room has closed here. */
  closed({ name }: Room): void {
    const shared = this.#shared(name);
    if (shared === undefined) return;
    this.#healing.closed(shared.topic);
    if (shared.isShared) this.#farewells.said(name, this.hub.clock.now());
    this.#rooms.delete(name);
    this.#lobbies.delete(name);
    shared.close(true);
  }

  /**
   * Has all other relays close a user's connections, or ask them for new tokens. Resolves with the number of those connections, on the
   * relays that tell theirs within a second. [BUS-33] [BUS-42]
   */
  kick(said: Kick | Refresh): Promise<number> {
    return this.inquiries.count((id) => this.publish(this.topics.beat, "kick", "", 0, writeKick(said, id)));
  }

  /** This relay stops: its people may come back elsewhere. [BUS-22] */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#lostRelays.close();
    this.#healing.close();
    for (const shared of [...this.#rooms.values(), ...this.#lobbies.values()]) shared.close(false);
    this.#rooms.clear();
    this.#lobbies.clear();
    this.inquiries.close();
    this.#introduction.end();
    this.#post.clear();
    this.publish(this.topics.beat, "bye", "", 0, NOTHING);
    for (const undo of this.#undo) undo();
  }

  /** Hands a server's message to all relays that have the room open. @param lobby null: everybody in it is meant */
  broadcast(room: string, message: string, lobby: string | null): void {
    this.publish(this.topics.room(room), "message", room, 0, messageBody(message, lobby));
  }

  publish(topic: string, kind: MessageKind, room: string, seq: number, body: Uint8Array): void {
    this.#post.send(topic, room, encodeMessage({ kind, relay: this.hub.shard, room, seq, body }));
  }

  tell(relay: string, kind: MessageKind, room: string, body: Uint8Array = NOTHING): void {
    this.publish(this.topics.inbox(relay), kind, room, 0, body);
  }

  subscribe(topic: string, on: (message: Message) => void): () => void {
    return this.#bus.subscribe(topic, (bytes) => {
      this.guarded(() => {
        const message = decodeMessage(bytes);
        if (message === null) this.stats.refused++;
        else if (message.relay !== this.hub.shard) this.#hear(topic, message, on);
        else if (message.kind === "beat") this.#echoed(message.seq);
      });
    });
  }

  /** A message of another relay that cannot be read or acted on does no harm to anything else. [BUS-2] */
  guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.stats.refused++;
      // that happens, and all is asked for again
      if (error instanceof LackingError) return;
      const cause = error instanceof FrameError ? error.message : error;
      this.#options.onError(new Error("a message of another relay was not taken", { cause }));
    }
  }

  listeners(topic: string): Promise<number> | null {
    const bus = this.#bus;
    if (bus.listeners === undefined) return null;
    return this.#firstEcho.then(() => bus.listeners?.(topic) ?? 0);
  }

  #route(message: Message): void {
    if (INQUIRY_KINDS.has(message.kind)) return this.inquiries.hear(message);
    const shared = this.#shared(message.room);
    if (shared !== undefined) shared.hear(message);
    // [BUS-29] this relay has said before that it has nobody there, and that was not heard
    else if (message.kind === "ask") this.tell(message.relay, "bye", message.room, Uint8Array.of(Bye.nobody));
  }

  #shared(name: string): SharedRoom | SharedLobby | undefined {
    return this.#rooms.get(name) ?? this.#lobbies.get(name);
  }

  /** Calls back once all is known of a room or lobby; at once where it is not shared, since nothing more will be known of it. */
  #whenKnown(name: string, run: () => void): void {
    const shared = this.#shared(name);
    if (shared === undefined) run();
    else shared.whenKnown(run);
  }

  #hear(topic: string, message: Message, on: (message: Message) => void): void {
    const { kind, relay, body } = message;
    if (kind === "bye") return on(message);
    if (kind === "part") return this.#hearPart(topic, message, on);
    if (kind === "kick") this.#kicked(relay, readKick(body));
    if (kind === "forget" && !this.hub.rooms.has(message.room)) this.hub.documents.forget(message.room);
    if (kind === "remove") this.elsewhere.removed(readPlace(message.room, body));
    if (kind === "beat" && body.length > 0) this.hub.dates.follow(readUint(reader(body)));
    // any message proves that its relay lives
    if (this.#beats.heard(relay)) on(message);
    else this.stats.refused++;
  }

  /** [BUS-41] */
  #hearPart(topic: string, part: Message, on: (message: Message) => void): void {
    const { relay, room } = part;
    if (!this.#beats.heard(relay)) return void this.stats.refused++;
    // a message that comes in parts, slowly, must not be asked for again
    this.#shared(room)?.isComing(relay);
    const bytes = this.#assembler.take(topic, part, this.hub.clock.now());
    if (bytes === null) return;
    const message = decodeMessage(bytes);
    const isItsOwn = message?.relay === relay && message.room === room && message.kind !== "part";
    if (message === null || !isItsOwn) throw new FrameError("parts of a message that is none");
    this.#hear(topic, message, on);
  }

  #beat(): void {
    this.#beatSentAt = this.hub.clock.now();
    this.publish(this.topics.beat, "beat", "", this.#beats.next(), this.#dated());
  }

  /** What a beat says: how this relay would date something now. [BUS-28] */
  #dated(): Uint8Array {
    return encoding.encode((encoder) => encoding.writeVarUint(encoder, this.hub.dates.date()));
  }

  #echoed(beat: number): void {
    if (this.stats.echoMs === null) this.#onEchoed();
    this.stats.echoMs = this.hub.clock.now() - this.#beatSentAt;
    this.#beats.echoed(beat);
  }

  #kicked(relay: string, { said, id }: AskedKick): void {
    const connections = "code" in said ? kick(this.hub, said) : this.#options.refresh(said.userId, said.lobby);
    if (id !== null) this.inquiries.answer(relay, "kicked", id, { connections });
  }

  #hearBeat({ kind, relay }: Message): void {
    if (kind === "bye") this.#beats.left(relay);
  }

  #check(): void {
    this.#beats.check();
    // the first beat may have been sent before there was a connection
    if (this.stats.echoMs === null) this.#beat();
    if (!this.#beats.isUp) {
      // [BUS-19] the bus may only seem to be connected
      if (++this.#checksDown % REVIVE_CHECKS === 0) this.#bus.reconnect?.();
      return;
    }
    this.#checksDown = 0;
    if (this.#beats.stoodStill) return;
    const now = this.hub.clock.now();
    this.#assembler.sweep(now);
    for (const shared of this.#rooms.values()) shared.sweep(now);
    for (const shared of this.#lobbies.values()) shared.sweep(now);
    this.#farewells.sweep(now);
    if (this.#isPartial && this.#healing.isOver) this.#tellPartial(false);
  }

  #found(relay: string): void {
    this.#introduction.check();
    // a relay that is new is told at once how others date, and that they live
    this.tell(relay, "beat", "", this.#dated());
    // [BUS-34] and whom they refuse
    for (const each of kicksOf(this.hub)) this.tell(relay, "kick", "", writeKick(each, null));
    const wasLost = this.#lostRelays.found(relay);
    // a new relay asks by itself in each room that it opens; one that was only taken for lost does not know of that
    if (wasLost && this.#beats.isUp) this.#heal();
  }

  /** @param hasSaidSo the relay has said that it stops */
  #lost(relay: string, hasSaidSo: boolean): void {
    for (const shared of this.#rooms.values()) shared.lost(relay);
    for (const shared of this.#lobbies.values()) shared.lost(relay);
    this.inquiries.lost(relay);
    this.#lostRelays.lost(relay, hasSaidSo);
  }

  /** The people of a lost relay have had time to come back: what it said of lobbies is thrown away. [BUS-18] */
  #drop(relay: string): void {
    for (const shared of this.#lobbies.values()) if (!shared.has(relay)) shared.drop(relay);
  }

  #linked(isUp: boolean): void {
    this.#healing.stop();
    if (isUp) return this.#heal();
    // [BUS-41] messages that waited would be old by the time that anybody hears them
    this.#post.clear();
    this.#farewells.clear();
    this.#tellPartial(true);
  }

  /** Asks other relays for all that they share with this one. [BUS-21] */
  #heal(): void {
    this.#healing.begin([...this.#lobbies.values(), ...this.#rooms.values()].map(({ topic }) => topic));
  }

  /**
   * Tells clients that other relays cannot be heard; or that they are heard again, in each room once all of it is known. In a room that
   * no other relay had, those who come from now on are told that others may open it there. [BUS-20]
   */
  #tellPartial(isPartial: boolean): void {
    const now = this.hub.clock.now();
    let isLeft = false;
    for (const [name, shared] of [...this.#rooms, ...this.#lobbies]) {
      const room = this.hub.rooms.get(name) ?? this.hub.lobbies.get(name)?.room;
      if (isPartial) room?.sharing.setPartial(true, isLobby(name) || shared.isShared);
      else if (shared.topic.isSettled(now)) room?.sharing.setPartial(false);
      else isLeft = true;
    }
    this.#isPartial = isPartial || isLeft;
  }
}
