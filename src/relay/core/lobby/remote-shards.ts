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
import { type ManualChoice, type User, departed } from "../../../presence/index.ts";
import { StateBytes, fieldsOf, updateFrame } from "../../../wire/index.ts";
import type { Clock } from "../../ports/clock.ts";
import { Packet } from "../../ports/packet.ts";
import type { Room } from "../room.ts";

/** How a shard is called, and since when its relay runs. */
export interface ShardName {
  readonly shard: string;
  /** ms since the epoch */
  readonly startedAt: number;
}

interface RemoteShard {
  readonly name: ShardName;
  readonly doc: Y.Doc;
  /** Under this client id this relay vouches for it to its own readers. */
  readonly voucher: number;
  isLost: boolean;
  /** The users of whom something was written since the directory was told; null: it has to be told of all. */
  changed: Set<string> | null;
}

const NO_EFFECTS: Effects<PresentEntry> = { visibility: [], choices: [], isNews: false };

export class RemoteShards {
  readonly #room: Room;
  readonly #directory: Directory<PresentEntry>;
  readonly #clock: Clock;
  readonly #schedule: () => void;
  readonly #shards = new Map<string, RemoteShard>();

  /** @param schedule what is new of the directory is to be flushed */
  constructor(room: Room, directory: Directory<PresentEntry>, clock: Clock, schedule: () => void) {
    this.#room = room;
    this.#directory = directory;
    this.#clock = clock;
    this.#schedule = schedule;
  }

  *docs(): Generator<Y.Doc> {
    for (const { doc } of this.#shards.values()) yield doc;
  }

  /** Takes all that a relay says of the lobby, in the place of what it said before. */
  put(
    relay: string,
    name: ShardName,
    update: Uint8Array,
    choices: readonly (readonly [string, ManualChoice])[],
  ): Effects<PresentEntry> {
    const before = this.#shards.get(relay);
    if (before !== undefined && before.name.shard !== name.shard) this.#forget(relay, before);
    const shard = this.#shards.get(relay) ?? newShard(name);
    this.#shards.set(relay, shard);
    shard.changed = null;
    // nobody is shown before the choices count
    const effects = choices.map(([userId, choice]) => this.choose(relay, userId, choice));
    shard.isLost = false;
    this.#vouch(shard);
    return joined([...effects, this.apply(relay, update)]);
  }

  /** Takes what a relay has written to its shard. */
  apply(relay: string, update: Uint8Array): Effects<PresentEntry> {
    const shard = this.#shards.get(relay);
    if (shard === undefined) return NO_EFFECTS;
    Y.applyUpdate(shard.doc, update);
    this.#room.sendUpdate(new Packet(updateFrame(update)), null);
    return this.#import(relay, shard);
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

  /** What another relay's shard says of a user who left there; null: nothing. */
  leaver(userId: string): LobbyUser | null {
    for (const { doc, name } of this.#shards.values()) {
      const user = shardsOf(doc).get(name.shard)?.get(userId);
      if (user !== undefined && Object.keys(user.sessions).length === 0) return user;
    }
    return null;
  }

  /** Those who left by way of other relays, which remember them. */
  leavers(): readonly User[] {
    return [...this.#shards.values()].flatMap(({ doc, name }) =>
      [...(shardsOf(doc).get(name.shard)?.entries() ?? [])].flatMap(([id, { user, sessions, lastSeen }]) =>
        Object.keys(sessions).length === 0 ? [departed({ ...user, id }, lastSeen)] : [],
      ),
    );
  }

  close(): void {
    for (const { doc } of this.#shards.values()) doc.destroy();
    this.#shards.clear();
  }

  /** Tells the directory what a shard says now: of those of whom something was written, or of all. */
  #import(relay: string, shard: RemoteShard): Effects<PresentEntry> {
    const { doc, name, isLost, changed } = shard;
    shard.changed = isLost ? null : new Set();
    const users = shardsOf(doc).get(name.shard);
    const wall = this.#clock.wall();
    if (changed !== null && !isLost) {
      const news = [...changed].map((userId) => [userId, users?.get(userId) ?? null] as const);
      return this.#scheduled(this.#directory.importUsers(relay, news, wall));
    }
    const all = users?.entries() ?? [];
    return this.#scheduled(this.#directory.importShard(relay, isLost ? reconnecting(all) : all, wall));
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

  #scheduled(effects: Effects<PresentEntry>): Effects<PresentEntry> {
    if (effects.isNews) this.#schedule();
    return effects;
  }
}

function newShard(name: ShardName): RemoteShard {
  const doc = new Y.Doc();
  const shard: RemoteShard = { name, doc, voucher: randomInt(2 ** 32 - 1), isLost: false, changed: null };
  // it ends with the document
  new Union(doc).observe((userIds) => {
    if (userIds === null) shard.changed = null;
    else for (const userId of userIds) shard.changed?.add(userId);
  });
  return shard;
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

function joined(all: readonly Effects<PresentEntry>[]): Effects<PresentEntry> {
  return {
    visibility: all.flatMap(({ visibility }) => visibility),
    choices: all.flatMap(({ choices }) => choices),
    isNews: all.some(({ isNews }) => isNews),
  };
}
