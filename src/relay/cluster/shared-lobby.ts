/** A lobby of this relay, joined to the same lobby on other relays: they exchange shards and choices of status. [BUS-14] [BUS-15] */
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import * as Y from "yjs";
import { MAX_ID_LENGTH, type ManualChoice, readManual } from "../../presence/index.ts";
import { FrameError, json, readBytes, readText, readUint } from "../../wire/index.ts";
import { boundedChoice } from "../core/lobby/bounded-choice.ts";
import type { HeldSession } from "../core/lobby/held.ts";
import type { Lobby } from "../core/lobby/lobby.ts";
import type { ShardName } from "../core/lobby/remote-shards.ts";
import { boundedHeldAt } from "./bounds.ts";
import { readStateVector } from "../documents/update/state-vector.ts";
import type { ClusterContext } from "./context.ts";
import { Awaited } from "./inquiries/awaited.ts";
import type { Gathered } from "./inquiries/inquiries.ts";
import { Strangers, type StrangersHost } from "./inquiries/strangers.ts";
import type { UserChoice } from "./inquiries/words.ts";
import { Bye, type Message, type MessageKind } from "./message.ts";
import { SharedTopic, type TopicHost } from "./topic/shared-topic.ts";

/** Levels of nesting in the JSON of messages between relays. */
const MAX_DEPTH = 8;

/** Another relay. All else that is known of it, the lobby has. */
interface Peer {
  readonly relay: string;
}

export class SharedLobby implements TopicHost<Peer>, StrangersHost {
  readonly wholeKind: MessageKind = "shardWhole";
  readonly kinds: ReadonlySet<MessageKind> = new Set(["shard", "choice", "held"]);
  readonly #context: ClusterContext;
  readonly #lobby: Lobby;
  readonly #own: ShardName;
  readonly topic: SharedTopic<Peer>;
  /** Relays that had the lobby when it opened here; null: there was none. */
  readonly #awaited: Awaited | null;
  readonly #strangers: Strangers;

  constructor(context: ClusterContext, lobby: Lobby) {
    this.#context = context;
    this.#lobby = lobby;
    this.#own = lobby.relay;
    const topic = context.topics.lobby(lobby.name);
    this.topic = new SharedTopic<Peer>(context, topic, lobby.name, this, (message) => this.hear(message));
    lobby.onChoice = (userId, choice) => this.topic.send("choice", encodeJson([userId, choice]));
    lobby.held.onHeld = ({ userId, session, heldAt }) => this.topic.send("held", encodeJson([userId, session, heldAt]));
    lobby.doc.on("update", this.#onUpdate);
    this.topic.ask();
    const hasOthers = context.mayHaveOthers;
    this.#awaited = hasOthers ? new Awaited(context.listeners(topic), () => this.topic.answered) : null;
    this.#strangers = new Strangers(this);
    lobby.askAbout = (userId) => this.#strangers.ask(userId);
  }

  get isAlone(): boolean {
    return this.#context.isAlone;
  }

  whenIntroduced(run: () => void): void {
    this.#context.whenIntroduced(run);
  }

  /** [BUS-40] */
  ask(users: readonly string[], patienceMs: number): Promise<Gathered> {
    return this.#context.inquiries.gather({ type: "choices", lobby: this.#lobby.name, users }, patienceMs);
  }

  reveal(users: readonly string[], choices: readonly UserChoice[]): void {
    const { hub } = this.#context;
    const date = hub.dates.date();
    const known = choices.map(([userId, choice]) => [userId, boundedChoice(choice, date)] as const);
    hub.inLobby(this.#lobby.name, (lobby) => lobby.reveal(users, known));
  }

  get isShared(): boolean {
    return this.topic.isShared;
  }

  /** Whether all other relays that have the lobby were heard, and all is known that they have said. */
  get isKnown(): boolean {
    return this.#awaited?.isOver !== false && this.topic.isWhole;
  }

  /** Calls back once all other relays that have the lobby were heard, or are not waited for any more. */
  whenKnown(run: () => void): void {
    const settle = (): void => {
      this.#lobby.settle();
      run();
    };
    if (this.#awaited === null) settle();
    else this.#awaited.whenOver(settle);
  }

  hear(message: Message): void {
    const { kind, relay, body } = message;
    if (kind !== "bye") this.topic.hear(message);
    else if (body[0] === Bye.nobody) this.drop(relay);
    else this.lost(relay);
  }

  /** [BUS-17] */
  lost(relay: string): void {
    this.topic.part(relay);
    this.#heardMore();
    this.#context.hub.inLobby(this.#lobby.name, ({ others }) => others.lose(relay));
  }

  /** Throws away what a relay said. [BUS-18] */
  drop(relay: string): void {
    this.topic.part(relay);
    this.#heardMore();
    const lastSeen = this.#context.hub.clock.wall();
    this.#context.hub.inLobby(this.#lobby.name, ({ others }) => others.drop(relay, lastSeen));
  }

  /** Whether it counts what a relay says. */
  has(relay: string): boolean {
    return this.topic.has(relay);
  }

  /** Parts of a long message come from a relay. */
  isComing(relay: string): void {
    this.topic.isComing(relay);
  }

  sweep(now: number): void {
    this.topic.sweep(now);
  }

  close(isFinal: boolean): void {
    this.#awaited?.end();
    this.#strangers.close();
    this.#lobby.onChoice = this.#lobby.askAbout = this.#lobby.held.onHeld = null;
    this.#lobby.doc.off("update", this.#onUpdate);
    this.topic.close(isFinal ? Bye.nobody : Bye.stops);
  }

  met(relay: string): Peer {
    // another relay reads the own shard from now on
    this.#lobby.openShard();
    return { relay };
  }

  /** [BUS-54] */
  knownVector(): Uint8Array {
    return this.#lobby.others.stateVector();
  }

  writeWhole(encoder: encoding.Encoder, known: Uint8Array): void {
    encoding.writeVarString(encoder, this.#own.shard);
    encoding.writeVarUint(encoder, this.#own.startedAt);
    encoding.writeVarString(encoder, JSON.stringify([...this.#lobby.ownChoices()]));
    // it is read in our way first: Yjs might read on without an end
    if (known.length > 0) readStateVector(known);
    const { doc } = this.#lobby;
    encoding.writeVarUint8Array(encoder, Y.encodeStateAsUpdate(doc, known.length > 0 ? known : undefined));
    encoding.writeVarUint8Array(encoder, Y.encodeStateVector(doc));
  }

  takeWhole(relay: string, _peer: Peer, from: decoding.Decoder): void {
    const name = { shard: readText(from), startedAt: readUint(from) };
    // [BUS-44] a relay names its shards after itself
    if (name.shard !== relay && !name.shard.startsWith(`${relay}.`)) throw new FrameError("a shard of another relay");
    const choices = json(readText(from), MAX_DEPTH);
    const update = readBytes(from).slice();
    const upTo = decoding.hasContent(from) ? readStateVector(readBytes(from)) : null;
    if (!Array.isArray(choices)) throw new FrameError("choices are not a list");
    const read = choices
      .map((each) => this.#readChoice(each))
      .flatMap(([userId, choice]) => (choice === null ? [] : [[userId, choice] as const]));
    this.#context.hub.inLobby(this.#lobby.name, ({ others }) =>
      others.put(relay, name, { update, upTo, choices: read }),
    );
    this.#heardMore();
  }

  take({ kind, relay, body }: Message): void {
    const { hub } = this.#context;
    if (kind === "shard") return hub.inLobby(this.#lobby.name, ({ others }) => others.apply(relay, body));
    const said = json(new TextDecoder().decode(body), MAX_DEPTH);
    if (kind === "held") return hub.heldElsewhere(this.#lobby.name, this.#readHeld(said));
    const [userId, choice] = this.#readChoice(said);
    hub.inLobby(this.#lobby.name, ({ others }) => others.choose(relay, userId, choice));
  }

  /** Throws `FrameError`. */
  #readChoice(value: unknown): readonly [userId: string, choice: ManualChoice | null] {
    const [userId, said] = Array.isArray(value) ? (value as readonly unknown[]) : [];
    if (typeof userId !== "string" || userId.length > MAX_ID_LENGTH) throw new FrameError("a choice without a user id");
    const choice = readManual(said);
    return [userId, choice && boundedChoice(choice, this.#context.hub.dates.date())];
  }

  /** Throws `FrameError`. */
  #readHeld(said: unknown): HeldSession {
    const [userId, session, heldAt] = Array.isArray(said) ? (said as readonly unknown[]) : [];
    if (typeof userId !== "string" || typeof session !== "string" || typeof heldAt !== "number") {
      throw new FrameError("a session without a user, an id or a date");
    }
    return { userId, session, heldAt: boundedHeldAt(heldAt, this.#context.hub.dates.date()) };
  }

  #heardMore(): void {
    this.#awaited?.check();
    this.#strangers.check();
  }

  readonly #onUpdate = (update: Uint8Array): void => this.topic.send("shard", update);
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
