/**
 * What other relays say of a lobby: the shard of each, in a document of its own, so that the shard of a relay that is gone can
 * be thrown away whole; and the choices of status that users made there. [BUS-14]
 */
import { randomInt } from "node:crypto";
import * as Y from "yjs";
import type { PresentEntry } from "../../../awareness/index.ts";
import {
  type Directory,
  type Effects,
  type LobbyUser,
  type RelayState,
  Union,
  shardsOf,
} from "../../../lobby/index.ts";
import { isLobbyUser } from "../../../lobby/layout.ts";
import { type ManualChoice, type User, departed } from "../../../presence/index.ts";
import { FrameError, StateBytes, fieldsOf, updateFrame } from "../../../wire/index.ts";
import type { StateVector } from "../../documents/update/state-vector.ts";
import type { Clock } from "../../ports/clock.ts";
import { Packet } from "../../ports/packet.ts";
import type { Room } from "../room.ts";
import { boundedUser } from "./bounded-choice.ts";

/** How a shard is called, and since when its relay runs. */
export interface ShardName {
  readonly shard: string;
  /** ms since the epoch */
  readonly startedAt: number;
}

/** What a relay answers when it is asked for all that it has to say of the lobby. */
export interface ShardAnswer {
  /** What this relay did not have of the shard. */
  readonly update: Uint8Array;
  /** All that the shard holds with it; null: an earlier release does not tell. */
  readonly upTo: StateVector | null;
  readonly choices: readonly (readonly [userId: string, choice: ManualChoice])[];
}

interface RemoteShard {
  readonly name: ShardName;
  readonly doc: Y.Doc;
  /** Under this client id this relay vouches for it to its own readers. */
  readonly voucher: number;
  /** The client ids that it was written under. */
  readonly writers: Set<number>;
  /** What was written to it that readers have yet to be told. */
  unsent: Uint8Array[];
  isLost: boolean;
  /** The users of whom something was written since the directory was told; null: it has to be told of all. */
  changed: Set<string> | null;
}

/** What a relay has answered builds on what was thrown away here since it was asked: it is to be asked again. [BUS-54] */
export class LackingError extends FrameError {}

const NO_EFFECTS: Effects<PresentEntry> = { visibility: [], choices: [], isNews: false };

export interface RemoteShardsSetup {
  readonly room: Room;
  /** The document of the own shard. */
  readonly own: Y.Doc;
  readonly directory: Directory<PresentEntry>;
  readonly clock: Clock;
  /** How this relay dates something now. */
  readonly date: () => number;
  /** What is new of the directory is to be flushed. */
  readonly schedule: () => void;
  /** A shard says something new of a user. */
  readonly heardOf: (userId: string) => void;
}

export class RemoteShards {
  readonly #room: Room;
  readonly #own: Y.Doc;
  readonly #directory: Directory<PresentEntry>;
  readonly #clock: Clock;
  readonly #date: () => number;
  readonly #schedule: () => void;
  readonly #heardOf: (userId: string) => void;
  readonly #shards = new Map<string, RemoteShard>();

  constructor({ room, own, directory, clock, date, schedule, heardOf }: RemoteShardsSetup) {
    this.#room = room;
    this.#own = own;
    this.#directory = directory;
    this.#clock = clock;
    this.#date = date;
    this.#schedule = schedule;
    this.#heardOf = heardOf;
  }

  *docs(): Generator<Y.Doc> {
    for (const { doc } of this.#shards.values()) yield doc;
  }

  /** What this relay has of all shards, as a state vector of Yjs; empty: there is none. [BUS-54] */
  stateVector(): Uint8Array {
    if (this.#shards.size === 0) return new Uint8Array();
    const vectors = [...this.docs()].flatMap((doc) => [...Y.decodeStateVector(Y.encodeStateVector(doc))]);
    return Y.encodeStateVector(new Map(vectors));
  }

  /** Takes all that a relay says of the lobby, in the place of what it said before. Throws `FrameError`. */
  put(relay: string, name: ShardName, { update, upTo, choices }: ShardAnswer): Effects<PresentEntry> {
    const before = this.#shards.get(relay);
    if (before !== undefined && before.name.shard !== name.shard) this.#forget(relay, before);
    const shard = this.#shards.get(relay) ?? newShard(name);
    this.#shards.set(relay, shard);
    // of an answer that is refused nothing may count: what came of it would be told to nobody
    this.#write(relay, shard, update, upTo);
    // nobody is shown before the choices count
    const effects = choices.map(([userId, choice]) => this.choose(relay, userId, choice));
    shard.isLost = false;
    this.#vouch(shard);
    return joined([...effects, this.#tell(relay, shard)]);
  }

  /** Takes what a relay has written to its shard. Throws `FrameError`. */
  apply(relay: string, update: Uint8Array): Effects<PresentEntry> {
    const shard = this.#shards.get(relay);
    if (shard === undefined) return NO_EFFECTS;
    this.#write(relay, shard, update, null);
    return this.#tell(relay, shard);
  }

  choose(relay: string, userId: string, choice: ManualChoice | null): Effects<PresentEntry> {
    return this.#scheduled(this.#directory.importChoice(relay, userId, choice, this.#clock.wall()));
  }

  /** A relay is not heard any more: those whom its shard names may yet come back, here or elsewhere. [BUS-17] */
  lose(relay: string): Effects<PresentEntry> {
    const shard = this.#shards.get(relay);
    if (shard === undefined || shard.isLost) return NO_EFFECTS;
    shard.isLost = true;
    this.#vouch(shard);
    return this.#import(relay, shard);
  }

  /** Throws away all that a relay said. [BUS-18] */
  drop(relay: string, lastSeen: number): Effects<PresentEntry> {
    const shard = this.#shards.get(relay);
    if (shard !== undefined) this.#forget(relay, shard);
    return this.#scheduled(this.#directory.withdrawShard(relay, lastSeen, this.#clock.wall()));
  }

  /** Whether the shard of another relay that is heard names a session. */
  names(userId: string, session: string): boolean {
    for (const shard of this.#shards.values()) {
      if (!shard.isLost && Object.hasOwn(userIn(shard, userId)?.sessions ?? {}, session)) return true;
    }
    return false;
  }

  /** What another relay's shard says of a user who left there; null: nothing. */
  leaver(userId: string): LobbyUser | null {
    for (const shard of this.#shards.values()) {
      const user = userIn(shard, userId);
      if (user !== null && Object.keys(user.sessions).length === 0) return user;
    }
    return null;
  }

  /** Those who left by way of other relays, which remember them. */
  leavers(): readonly User[] {
    return [...this.#shards.values()].flatMap((shard) =>
      [...usersIn(shard)].flatMap(([id, { user, sessions, lastSeen }]) =>
        Object.keys(sessions).length === 0 ? [departed({ ...user, id }, lastSeen)] : [],
      ),
    );
  }

  close(): void {
    for (const { doc } of this.#shards.values()) doc.destroy();
    this.#shards.clear();
  }

  /** Throws `FrameError`, having forgotten the shard. @param upTo all that the shard holds then; null: not told */
  #write(relay: string, shard: RemoteShard, update: Uint8Array, upTo: StateVector | null): void {
    Y.applyUpdate(shard.doc, update);
    this.#check(relay, shard, upTo);
  }

  /** Tells readers of the lobby, and the directory, what is new of a shard. */
  #tell(relay: string, shard: RemoteShard): Effects<PresentEntry> {
    // [BUS-54] of all that a relay says when it is asked, little may be new
    for (const update of shard.unsent) this.#room.sendUpdate(new Packet(updateFrame(update)), null);
    shard.unsent = [];
    return this.#import(relay, shard);
  }

  /** Tells the directory what a shard says now: of those of whom something was written, or of all. */
  #import(relay: string, shard: RemoteShard): Effects<PresentEntry> {
    const { isLost, changed } = shard;
    // once a lost relay is back, the directory has to be told of all again
    shard.changed = isLost ? null : new Set();
    const wall = this.#clock.wall();
    if (!isLost) for (const userId of changed ?? this.#directory.ownUserIds) this.#heardOf(userId);
    if (changed !== null && !isLost) {
      const news = [...changed].map((userId) => [userId, this.#bounded(userIn(shard, userId))] as const);
      return this.#scheduled(this.#directory.importUsers(relay, news, wall));
    }
    const date = this.#date();
    const all = [...usersIn(shard)].map(([userId, user]): [string, LobbyUser] => [userId, boundedUser(user, date)]);
    return this.#scheduled(this.#directory.importShard(relay, isLost ? reconnecting(all) : all, wall));
  }

  #bounded(user: LobbyUser | null): LobbyUser | null {
    return user && boundedUser(user, this.#date());
  }

  #vouch({ voucher, name, isLost }: RemoteShard): void {
    const state: RelayState = { copresence: { relay: { ...name, ...(isLost && { lost: true }) } } };
    this.#room.publish(this.#room.register.setOwn(voucher, new StateBytes(fieldsOf(state))));
  }

  #forget(relay: string, { doc, voucher }: RemoteShard): void {
    this.#shards.delete(relay);
    doc.destroy();
    const entry = this.#room.register.get(voucher);
    if (entry === undefined) return;
    for (const change of this.#room.register.remove(entry, this.#clock.now())) this.#room.publish(change);
  }

  /**
   * Readers have all shards in one document. What a relay writes to it but its own shard, or in the name of another writer, would
   * spoil theirs for as long as they keep it: nothing of such a shard is handed on. Throws `FrameError`. [BUS-44]
   */
  #check(relay: string, shard: RemoteShard, upTo: StateVector | null): void {
    const { doc, name, writers } = shard;
    // [BUS-54] what was here when it was asked for may have been thrown away since
    const isLacking = [...(upTo ?? [])].some(([client, clock]) => Y.getState(doc.store, client) < clock);
    const isForeign = [...shardsOf(doc).keys()].some((key) => key !== name.shard) || doc.share.size > 1;
    const isWaiting = doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
    let isOthers = false;
    for (const writer of doc.store.clients.keys()) {
      if (writers.has(writer)) continue;
      writers.add(writer);
      isOthers ||= this.#isWriter(writer, shard);
    }
    if (!isForeign && !isWaiting && !isOthers && !isLacking) return;
    this.#forget(relay, shard);
    if (isLacking) throw new LackingError("a part of a shard, without the rest");
    throw new FrameError("a shard that is not the relay's own");
  }

  /** Whether this relay, or the shard of another one, writes under a client id. */
  #isWriter(writer: number, but: RemoteShard): boolean {
    if (this.#own.store.clients.has(writer) || this.#own.clientID === writer) return true;
    for (const shard of this.#shards.values()) if (shard !== but && shard.writers.has(writer)) return true;
    return false;
  }

  #scheduled(effects: Effects<PresentEntry>): Effects<PresentEntry> {
    if (effects.isNews) this.#schedule();
    return effects;
  }
}

function newShard(name: ShardName): RemoteShard {
  const doc = new Y.Doc();
  const shard: RemoteShard = {
    name,
    doc,
    voucher: randomInt(2 ** 32 - 1),
    writers: new Set(),
    unsent: [],
    isLost: false,
    changed: null,
  };
  doc.on("update", (update: Uint8Array) => shard.unsent.push(update));
  // it ends with the document
  new Union(doc).observe((userIds) => {
    if (userIds === null) shard.changed = null;
    else for (const userId of userIds) shard.changed?.add(userId);
  });
  return shard;
}

/** The users whom a shard names; what is no user is left out. */
function* usersIn({ doc, name }: RemoteShard): Generator<[string, LobbyUser]> {
  const users: unknown = shardsOf(doc).get(name.shard);
  if (!(users instanceof Y.Map)) return;
  for (const [userId, value] of users.entries()) if (isLobbyUser(value)) yield [userId, value];
}

/** What a shard says of a user; null: nothing. */
function userIn({ doc, name }: RemoteShard, userId: string): LobbyUser | null {
  const users: unknown = shardsOf(doc).get(name.shard);
  const value = users instanceof Y.Map ? (users.get(userId) as unknown) : null;
  return isLobbyUser(value) ? value : null;
}

function* reconnecting(users: Iterable<[string, LobbyUser]>): Generator<[string, LobbyUser]> {
  for (const [userId, user] of users) {
    const sessions = Object.entries(user.sessions).map(([id, session]) => [
      id,
      { ...session, reconnecting: true as const },
    ]);
    yield [userId, { ...user, sessions: Object.fromEntries(sessions) as LobbyUser["sessions"] }];
  }
}

/** Several effects as one. */
export function joined(all: readonly Effects<PresentEntry>[]): Effects<PresentEntry> {
  return {
    visibility: all.flatMap(({ visibility }) => visibility),
    choices: all.flatMap(({ choices }) => choices),
    isNews: all.some(({ isNews }) => isNews),
  };
}
