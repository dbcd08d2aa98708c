/** A lobby of this relay, as it is joined to the same lobby on other relays: shards and choices of status. [BUS-14] [BUS-15] */
import * as encoding from "lib0/encoding";
import * as Y from "yjs";
import { type ManualChoice, readManual } from "../../presence/index.ts";
import { FrameError, json, readBytes, readText, readUint, reader } from "../../wire/index.ts";
import type { Lobby } from "../core/lobby/lobby.ts";
import type { ShardName } from "../core/lobby/remote-shards.ts";
import { type ClusterContext, NOTHING } from "./context.ts";
import type { Message } from "./message.ts";
import { Incoming, Outgoing } from "./sequence.ts";

/** Levels of nesting in what relays say as JSON. */
const MAX_DEPTH = 8;

export class SharedLobby {
  readonly #context: ClusterContext;
  readonly #lobby: Lobby;
  readonly #own: ShardName;
  readonly #topic: string;
  readonly #outgoing = new Outgoing();
  readonly #peers = new Map<string, Incoming>();
  readonly #unsubscribe: () => void;

  constructor(context: ClusterContext, lobby: Lobby) {
    this.#context = context;
    this.#lobby = lobby;
    this.#own = lobby.relay;
    this.#topic = context.topics.lobby(lobby.name);
    this.#unsubscribe = context.subscribe(this.#topic, (message) => this.hear(message));
    lobby.onChoice = (userId, choice) => this.#send("choice", encodeJson([userId, choice]));
    lobby.doc.on("update", this.#onUpdate);
    context.publish(this.#topic, "ask", lobby.name, 0, NOTHING);
  }

  get isShared(): boolean {
    return this.#peers.size > 0;
  }

  get isWhole(): boolean {
    for (const incoming of this.#peers.values()) if (!incoming.isWhole) return false;
    return true;
  }

  hear({ kind, relay, seq, body }: Message): void {
    const now = this.#context.hub.clock.now();
    switch (kind) {
      case "ask":
        this.#peer(relay);
        return this.#answer(relay);
      case "shardWhole":
        return this.#takeWhole(relay, body);
      case "shard":
      case "choice":
      case "tail": {
        const incoming = this.#peer(relay);
        const order = incoming.order(seq, kind === "tail");
        if (order === "gap") this.#context.stats.gaps++;
        if (order !== "take") return this.#askIfDue(relay, incoming, now);
        return this.#take(kind, relay, body);
      }
      case "bye":
        if (body[0] === 1) this.drop(relay);
        else this.lost(relay);
        return;
      default:
    }
  }

  /** [BUS-17] */
  lost(relay: string): void {
    this.#peers.delete(relay);
    this.#context.hub.inLobby(this.#lobby.name, ({ others }) => others.lose(relay));
  }

  /** Throws away what a relay said. [BUS-18] */
  drop(relay: string): void {
    this.#peers.delete(relay);
    const lastSeen = this.#context.hub.clock.wall();
    this.#context.hub.inLobby(this.#lobby.name, ({ others }) => others.drop(relay, lastSeen));
  }

  /** Whether it counts what a relay says. */
  has(relay: string): boolean {
    return this.#peers.has(relay);
  }

  heal(): void {
    for (const incoming of this.#peers.values()) incoming.doubt();
    this.#context.publish(this.#topic, "ask", this.#lobby.name, 0, NOTHING);
  }

  sweep(now: number): void {
    for (const [relay, incoming] of this.#peers) this.#askIfDue(relay, incoming, now);
    if (this.#peers.size > 0 && this.#outgoing.isTailDue(now)) {
      this.#context.publish(this.#topic, "tail", this.#lobby.name, this.#outgoing.seq, NOTHING);
    }
  }

  close(isFinal: boolean): void {
    this.#lobby.onChoice = null;
    this.#lobby.doc.off("update", this.#onUpdate);
    this.#unsubscribe();
    if (this.#peers.size > 0) {
      this.#context.publish(this.#topic, "bye", this.#lobby.name, 0, Uint8Array.of(isFinal ? 1 : 0));
    }
  }

  readonly #onUpdate = (update: Uint8Array): void => this.#send("shard", update);

  #peer(relay: string): Incoming {
    const known = this.#peers.get(relay);
    if (known !== undefined) return known;
    const incoming = new Incoming();
    this.#peers.set(relay, incoming);
    this.#lobby.openShard();
    this.#askIfDue(relay, incoming, this.#context.hub.clock.now());
    return incoming;
  }

  #askIfDue(relay: string, incoming: Incoming, now: number): void {
    if (incoming.isAskDue(now)) this.#context.tell(relay, "ask", this.#lobby.name);
  }

  #send(kind: "shard" | "choice", body: Uint8Array): void {
    if (this.#peers.size === 0) return;
    const seq = this.#outgoing.next(this.#context.hub.clock.now());
    this.#context.publish(this.#topic, kind, this.#lobby.name, seq, body);
  }

  #answer(relay: string): void {
    const body = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, this.#outgoing.seq);
      encoding.writeVarString(encoder, this.#own.shard);
      encoding.writeVarUint(encoder, this.#own.startedAt);
      encoding.writeVarString(encoder, JSON.stringify([...this.#lobby.ownChoices()]));
      encoding.writeVarUint8Array(encoder, Y.encodeStateAsUpdate(this.#lobby.doc));
    });
    this.#context.tell(relay, "shardWhole", this.#lobby.name, body);
  }

  #takeWhole(relay: string, body: Uint8Array): void {
    const from = reader(body);
    const seq = readUint(from);
    const name = { shard: readText(from), startedAt: readUint(from) };
    const choices = json(readText(from), MAX_DEPTH);
    const update = readBytes(from).slice();
    if (!Array.isArray(choices)) throw new FrameError("choices are not a list");
    const read = choices
      .map(readChoice)
      .flatMap(([userId, choice]) => (choice === null ? [] : [[userId, choice] as const]));
    this.#peer(relay).whole(seq);
    this.#context.hub.inLobby(this.#lobby.name, ({ others }) => others.put(relay, name, update, read));
  }

  #take(kind: "shard" | "choice" | "tail", relay: string, body: Uint8Array): void {
    const { hub } = this.#context;
    if (kind === "shard") hub.inLobby(this.#lobby.name, ({ others }) => others.apply(relay, body));
    if (kind !== "choice") return;
    const [userId, choice] = readChoice(json(new TextDecoder().decode(body), MAX_DEPTH));
    hub.inLobby(this.#lobby.name, ({ others }) => others.choose(relay, userId, choice));
  }
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function readChoice(value: unknown): readonly [userId: string, choice: ManualChoice | null] {
  const [userId, choice] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (typeof userId !== "string") throw new FrameError("a choice of nobody");
  return [userId, readManual(choice) ?? null];
}
