/**
 * The messages of relays about one room or lobby, on its topic. They are numbered; when one is missing, its relay is asked for all that
 * it has to say, and the answer takes the place of what it said before. What the messages mean is for the host to know, a room or a
 * lobby. [BUS-3] [BUS-4]
 */
import * as encoding from "lib0/encoding";
import type * as decoding from "lib0/decoding";
import { readUint, reader } from "../../../wire/index.ts";
import { type ClusterContext, NOTHING } from "../context.ts";
import type { Healed } from "../healing.ts";
import { EarlyMessages } from "./early-messages.ts";
import type { Message, MessageKind } from "../message.ts";
import { OwedAnswers } from "./owed-answers.ts";
import { Incoming, type Outgoing } from "./sequence.ts";

/** While no other relay answers, all are asked again so long after the first question, ms: the question may have been lost. [BUS-30] */
const ASK_AGAIN_MS = [1_000, 4_000, 15_000, 60_000];
/** When all relays are asked of which none was known to be there, those that are there have so long to answer, ms. [BUS-20] */
const ANSWER_MS = 1_000;

export interface TopicHost<Peer> {
  /** The kind of message that says all at once. */
  readonly wholeKind: MessageKind;
  /** The kinds of messages that are numbered, besides `tail`. */
  readonly kinds: ReadonlySet<MessageKind>;
  /** Another relay is there. */
  met(relay: string): Peer;
  /** What this relay has of what others say, which they need not repeat: the body of its questions. */
  knownVector(): Uint8Array;
  /**
   * Writes all that this relay has to say. Messages that still wait are sent first, and have lower numbers. Throws `FrameError`.
   *
   * @param known what the relay that asks has of it; empty: nothing
   */
  writeWhole(encoder: encoding.Encoder, known: Uint8Array): void;
  /** Takes all that a relay says, in the place of what it said before. Throws `FrameError`. */
  takeWhole(relay: string, peer: Peer, from: decoding.Decoder, now: number): void;
  /** Takes the next message. Throws `FrameError`. */
  take(message: Message, peer: Peer, now: number): void;
}

interface Known<Peer> {
  readonly peer: Peer;
  readonly incoming: Incoming;
  readonly early: EarlyMessages;
}

export class SharedTopic<Peer> implements Healed {
  readonly #context: ClusterContext;
  readonly #topic: string;
  readonly #room: string;
  readonly #host: TopicHost<Peer>;
  readonly #outgoing: Outgoing;
  readonly #peers = new Map<string, Known<Peer>>();
  readonly #owed = new OwedAnswers((relay, question) => {
    this.#context.guarded(() => this.#answer(relay, question));
  });
  readonly #unsubscribe: () => void;
  #askedAt = -Infinity;
  /** Until then a relay may answer that was not known to be there when all were asked, monotonic ms. */
  #answersBy = -Infinity;
  /** How often all relays were asked again. */
  #askedAgain = 0;
  /** All that others have said will be asked for, and nothing until then. */
  #isPostponed = false;

  /** @param on told of each message on the topic */
  constructor(
    context: ClusterContext,
    topic: string,
    room: string,
    host: TopicHost<Peer>,
    on: (message: Message) => void,
  ) {
    this.#context = context;
    this.#topic = topic;
    this.#room = room;
    this.#host = host;
    this.#outgoing = context.numbers.begin();
    this.#unsubscribe = context.subscribe(topic, on);
  }

  get isShared(): boolean {
    return this.#peers.size > 0;
  }

  /** Whether all that others have said is known. */
  get isWhole(): boolean {
    if (this.#isPostponed) return false;
    for (const { incoming } of this.#peers.values()) if (!incoming.isWhole) return false;
    return true;
  }

  /** Whether all that others have said is known, also that of others who were not known to be there when all were asked. */
  isSettled(now: number): boolean {
    return this.isWhole && now >= this.#answersBy;
  }

  /** How many other relays have said all that they have to say. */
  get answered(): number {
    return [...this.#peers.values()].filter(({ incoming }) => incoming.isWhole).length;
  }

  has(relay: string): boolean {
    return this.#peers.has(relay);
  }

  /** The others, in the order in which they were met. */
  *peers(): Generator<Peer> {
    for (const { peer } of this.#peers.values()) yield peer;
  }

  get(relay: string): Peer | undefined {
    return this.#peers.get(relay)?.peer;
  }

  /** Acts on a message if it is of the kinds that are numbered, asked for or whole. */
  hear(message: Message): void {
    const { kind, relay } = message;
    const now = this.#context.hub.clock.now();
    if (kind === "ask") {
      this.#met(relay);
      this.#owed.owe(relay, message.body);
    } else if (kind === this.#host.wholeKind) this.#takeWhole(message, now);
    else if (kind === "tail" || this.#host.kinds.has(kind)) this.#take(message, now);
  }

  /** Parts of a long message come from a relay: the rest is waited for. */
  isComing(relay: string): void {
    this.#peers.get(relay)?.incoming.isComing(this.#context.hub.clock.now());
  }

  /** Another relay is there no more. Returns what was known of it. */
  part(relay: string): Peer | undefined {
    const known = this.#peers.get(relay);
    this.#peers.delete(relay);
    return known?.peer;
  }

  /** The relay, met now if it was not before. */
  meet(relay: string): Peer {
    return this.#met(relay).peer;
  }

  /** What is known of others may be old. All relays will be asked when it is this topic's turn, and none before. [BUS-21] */
  postpone(): void {
    this.#isPostponed = true;
  }

  /** Asks all relays for all they have to say: when the room or lobby opens here, and when what is known of others may be old. */
  ask(): void {
    const now = this.#context.hub.clock.now();
    for (const { incoming } of this.#peers.values()) incoming.asked(now);
    this.#isPostponed = false;
    this.#askedAt = now;
    this.#answersBy = this.isShared ? now : now + ANSWER_MS;
    this.#askedAgain = 0;
    this.#askAll();
  }

  /**
   * Nothing is said while no other relay is there. It is numbered all the same: a relay that was taken for lost, and does not know that,
   * notices a gap. [BUS-10] [BUS-55]
   */
  send(kind: MessageKind, body: Uint8Array): void {
    const seq = this.#outgoing.next(this.#context.hub.clock.now());
    if (this.#peers.size > 0) this.#context.publish(this.#topic, kind, this.#room, seq, body);
  }

  sweep(now: number): void {
    for (const [relay, { incoming }] of this.#peers) this.#askIfDue(relay, incoming, now);
    if (this.#peers.size === 0) {
      if (this.#isPostponed) return;
      const dueMs = ASK_AGAIN_MS[this.#askedAgain];
      if (dueMs === undefined || now - this.#askedAt < dueMs) return;
      this.#askedAgain++;
      this.#askAll();
    } else if (this.#outgoing.isTailDue(now)) {
      this.#context.publish(this.#topic, "tail", this.#room, this.#outgoing.seq, NOTHING);
    }
  }

  /** @param bye why it ends, one of `Bye` */
  close(bye: number): void {
    this.#unsubscribe();
    this.#owed.clear();
    this.#context.numbers.ended(this.#outgoing);
    if (this.#peers.size > 0) {
      this.#context.publish(this.#topic, "bye", this.#room, 0, Uint8Array.of(bye));
    }
  }

  #askAll(): void {
    this.#context.publish(this.#topic, "ask", this.#room, 0, this.#host.knownVector());
  }

  #met(relay: string): Known<Peer> {
    const now = this.#context.hub.clock.now();
    const known = this.#peers.get(relay);
    known?.incoming.heard(now);
    if (known !== undefined) return known;
    const met = { peer: this.#host.met(relay), incoming: new Incoming(), early: new EarlyMessages() };
    this.#peers.set(relay, met);
    met.incoming.heard(now);
    this.#askIfDue(relay, met.incoming, now);
    return met;
  }

  #answer(relay: string, question: Uint8Array): void {
    const whole = encoding.createEncoder();
    this.#host.writeWhole(whole, question);
    const body = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, this.#outgoing.seq);
      encoding.writeBinaryEncoder(encoder, whole);
    });
    this.#context.tell(relay, this.#host.wholeKind, this.#room, body);
  }

  #takeWhole({ relay, body }: Message, now: number): void {
    const from = reader(body);
    const seq = readUint(from);
    const { peer, incoming, early } = this.#met(relay);
    // the answer was long under way, or has come twice
    if (incoming.isPast(seq)) return;
    incoming.whole(seq);
    const later = early.after(seq);
    this.#orDoubt(relay, incoming, now, () => this.#host.takeWhole(relay, peer, from, now));
    for (const message of later) this.#take(message, now);
  }

  #take(message: Message, now: number): void {
    const { kind, relay, seq } = message;
    const { peer, incoming, early } = this.#met(relay);
    const order = incoming.order(seq, kind === "tail");
    if (order === "gap") this.#context.stats.gaps++;
    if ((order === "wait" || order === "gap") && kind !== "tail") early.keep(message);
    if (order !== "take") return this.#askIfDue(relay, incoming, now);
    if (kind === "tail") return;
    this.#orDoubt(relay, incoming, now, () => this.#host.take(message, peer, now));
  }

  /** Takes a message. One that cannot be taken is as good as lost: all is asked for. [BUS-32] */
  #orDoubt(relay: string, incoming: Incoming, now: number, take: () => void): void {
    try {
      take();
    } catch (error) {
      incoming.refuse();
      this.#askIfDue(relay, incoming, now);
      throw error;
    }
  }

  #askIfDue(relay: string, incoming: Incoming, now: number): void {
    if (!this.#isPostponed && incoming.isAskDue(now)) {
      this.#context.tell(relay, "ask", this.#room, this.#host.knownVector());
    }
  }
}
