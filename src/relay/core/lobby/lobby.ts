/**
 * A lobby: a room whose document the relay writes. Everyone who is anywhere counts in it; what its own connections say
 * of themselves is taken in, never passed on. [LOBBY-1] [LOBBY-3]
 */
import type { PresentEntry, SessionsByUser } from "../../../awareness/index.ts";
import {
  Directory,
  type Effects,
  type LobbyUser,
  type RelayState,
  type ShardPolicy,
  Shard,
} from "../../../lobby/index.ts";
import type * as Y from "yjs";
import {
  type ManualChoice,
  type PresenceEvent,
  type User,
  departed,
  equal,
  infoOf,
  isGuest,
} from "../../../presence/index.ts";
import { FrameError, Close, StateBytes, fieldsOf } from "../../../wire/index.ts";
import { ReadOnlyDocument } from "../../documents/index.ts";
import type { Packet } from "../../ports/packet.ts";
import { wallTimeOf } from "../../ports/clock.ts";
import type { PersonRecord, StoredPerson } from "../../ports/stores/people-store.ts";
import { Flusher } from "../flush/flusher.ts";
import { lobbyUser } from "../../../lobby/shard.ts";
import { HeldSessions } from "./held.ts";
import { RemoteShards, type ShardName, joined } from "./remote-shards.ts";
import { Watchers } from "./watchers.ts";
import { reportOf } from "../people.ts";
import { Room } from "../room.ts";
import type { RoomSetup } from "../setup.ts";

/** How long a lobby waits between two writes that cost more than their share, ms. [LOBBY-5] */
const USUAL_INTERVAL_MS = 100;

export interface LobbyPolicy extends ShardPolicy {
  /** Shortest time between two writes to the document, ms. */
  readonly lobbyTick: number;
  /** Most users; 0: any number. */
  readonly maxLobbyUsers: number;
  /** Most sessions of one user; 0: any number. */
  readonly maxUserSessions: number;
}

export class Lobby {
  readonly room: Room;
  /** What other relays say of the lobby. */
  readonly others: RemoteShards;
  /** Sessions that other relays have, too. */
  readonly held: HeldSessions;
  /** Told of each choice of status that a user makes in an own session; null: of none. [BUS-15] */
  onChoice: ((userId: string, choice: ManualChoice | null) => void) | null = null;
  /** Asks other relays what a user chose of whom nothing is known here. Returns whether the answer is to be waited for. [BUS-40] */
  askAbout: ((userId: string) => boolean) | null = null;
  readonly #directory: Directory<PresentEntry>;
  readonly #shard: Shard;
  readonly #setup: RoomSetup;
  readonly #policy: LobbyPolicy;
  readonly #flusher: Flusher;
  readonly #watchers: Watchers;

  /** How the own shard is called. */
  readonly relay: ShardName;

  constructor(name: string, relay: ShardName, setup: RoomSetup, policy: LobbyPolicy) {
    this.relay = relay;
    this.#setup = setup;
    this.#policy = policy;
    this.#directory = new Directory(name, policy.recentMax);
    this.#shard = new Shard(relay.shard, policy, setup.leaverMemory);
    this.room = new Room(name, setup, (room) => {
      const broadcast = (packet: Packet): void => room.sendUpdate(packet, null);
      return new ReadOnlyDocument(
        this.#shard.doc,
        broadcast,
        () => this.openShard(),
        () => this.others.docs(),
        { now: () => setup.clock.now(), took: (ms) => setup.load.madeForAll(ms) },
      );
    });
    this.others = new RemoteShards({
      room: this.room,
      own: this.#shard.doc,
      directory: this.#directory,
      clock: setup.clock,
      date: setup.date,
      schedule: () => this.#flusher.schedule(),
      heardOf: (userId) => this.held.heardOf(userId),
    });
    this.held = new HeldSessions(name, this.#directory, this.others);
    this.#flusher = new Flusher({
      clock: setup.clock,
      load: setup.load,
      shortestMs: policy.lobbyTick,
      usualMs: USUAL_INTERVAL_MS,
      // how long it takes to tell them is all that counts
      audience: null,
      flush: () => this.#flush(),
    });
    const watchable = {
      users: () => this.users.values(),
      size: () => this.users.size,
      entryOf: (userId: string) => this.#entryOf(userId),
      tellsRooms: policy.lobbyRooms,
      usersBeside: setup.usersBeside,
    };
    this.#watchers = new Watchers(watchable, setup.stateMemory);
    this.room.watchers = this.#watchers;
    const state: RelayState = { copresence: { relay } };
    this.room.publish(this.room.register.setOwn(this.#shard.doc.clientID, new StateBytes(fieldsOf(state))));
  }

  /** The own shard's document. */
  get doc(): Y.Doc {
    return this.#shard.doc;
  }

  /** The own shard is read from now on: here, or by another relay. */
  openShard(): void {
    this.#shard.open(this.#directory.ownUsers.values(), this.#setup.clock.wall());
  }

  /** The choices of status that users made in own sessions. */
  *ownChoices(): Generator<readonly [userId: string, choice: ManualChoice]> {
    for (const userId of this.#directory.ownUserIds) {
      const choice = this.#directory.ownChoice(userId);
      if (choice !== null) yield [userId, choice];
    }
  }

  get name(): string {
    return this.room.name;
  }

  get users(): ReadonlyMap<string, User> {
    return this.#directory.users;
  }

  /** Somebody who is here, or who left and is still remembered. */
  user(userId: string, now: number): User | undefined {
    const known = this.users.get(userId) ?? this.#shard.leaver(userId, now);
    if (known !== undefined) return known;
    const there = this.others.leaver(userId);
    return there === null ? undefined : departed({ ...there.user, id: userId }, there.lastSeen);
  }

  /** All who left and are still remembered, here or by other relays. */
  leavers(now: number): User[] {
    const found = new Map(this.others.leavers().map((user) => [user.id, user]));
    for (const user of this.#shard.leavers(now)) found.set(user.id, user);
    return [...found.values()].filter(({ id }) => !this.users.has(id));
  }

  /** What waits to be counted is counted now. */
  settle(): void {
    this.#flusher.flushNow();
  }

  /** Nobody is connected, counts in it, has yet to be said to have left, or is remembered; and nobody holds it. */
  get empty(): boolean {
    if (this.room.isHeld) return false;
    return this.room.members.size === 0 && this.#directory.isOwnEmpty && this.#shard.recent === 0;
  }

  /** Throws a `FrameError` if these users, with these sessions, find no room here. [LIMIT-3] [LOBBY-12] */
  admitUsers(sessions: SessionsByUser): void {
    const { maxLobbyUsers, maxUserSessions } = this.#policy;
    // [LIMIT-3] with the people of other relays
    let size = Math.max(this.#directory.size, this.users.size);
    for (const [userId, ids] of sessions) {
      if (!this.#directory.has(userId)) size++;
      if (maxUserSessions === 0) continue;
      const count = this.#directory.sessionCountWith(userId, ids);
      if (count > maxUserSessions && count > this.#directory.sessionCount(userId)) {
        throw new FrameError("this user has too many sessions", Close.overloaded);
      }
    }
    if (maxLobbyUsers !== 0 && size > maxLobbyUsers && size > Math.max(this.#directory.size, this.users.size)) {
      throw new FrameError("the lobby is full", Close.overloaded);
    }
  }

  /** Takes what an entry says. What it brings about is for the hub to act on. */
  report(entry: PresentEntry): Effects<PresentEntry> {
    const { id } = entry.claim.user;
    // a guest is one connection, and chose nothing elsewhere
    if (this.askAbout !== null && !isGuest(id) && this.#directory.isStranger(id) && this.askAbout(id)) {
      this.#directory.withhold(id);
    }
    const report = (): Effects<PresentEntry> =>
      this.#directory.report(entry, reportOf(entry), this.#setup.clock.wall());
    const effects = this.#watched(id, report);
    this.held.said(entry);
    return effects;
  }

  /** Whether an entry is one of the own connections' that count here. */
  counts(entry: PresentEntry): boolean {
    return this.#directory.isReported(entry);
  }

  /** Takes out an entry that left. */
  withdraw(entry: PresentEntry): Effects<PresentEntry> {
    const { clock } = this.#setup;
    const { id } = entry.claim.user;
    return this.#watched(id, () => this.#directory.withdraw(entry, wallTimeOf(entry.lastSeen, clock), clock.wall()));
  }

  /** Takes in what was known of people before this relay was started. What it brings about is for the hub to act on. */
  remember(people: readonly StoredPerson[]): Effects<PresentEntry> {
    const { clock } = this.#setup;
    const [now, wall] = [clock.now(), clock.wall()];
    const known = people.filter(({ user }) => !isGuest(user.id));
    const effects = known.flatMap(({ user, choice }) =>
      // [PEOPLE-6] a choice that is dated ahead of now would outrank all that come
      choice === null ? [] : this.#directory.remember(user.id, { ...choice, at: Math.min(choice.at, wall) }, wall),
    );
    // nobody comes, and nobody leaves: there are no events of them [PEOPLE-8]
    const absent = known.filter(({ user }) => !this.users.has(user.id));
    this.#shard.remember(absent, now, wall);
    this.#tellKnown(known.filter(({ user }) => this.users.has(user.id)).map(({ user }) => user.id));
    this.#watchers.tellOf(absent.map(({ user }) => user.id));
    return this.#scheduled(joined(effects));
  }

  /** The newest choice of status of a user, also of one who is not here; null: none is known. */
  choiceOf(userId: string): ManualChoice | null {
    return this.#directory.choiceOf(userId);
  }

  /** Whether it is not known yet if others may see a user: other relays were asked. */
  isWithheld(userId: string): boolean {
    return this.#directory.isWithheld(userId);
  }

  /** Shows users whom other relays were asked about, with what these answered. What it brings about is for the hub to act on. */
  reveal(
    userIds: Iterable<string>,
    choices: readonly (readonly [userId: string, choice: ManualChoice])[],
  ): Effects<PresentEntry> {
    const wall = this.#setup.clock.wall();
    const known = choices.map(([userId, choice]) => this.#directory.remember(userId, choice, wall));
    return this.#scheduled(joined([...known, this.#directory.reveal(userIds)]));
  }

  /** What is to outlive the relay of somebody who is here, or left and is remembered; null: nothing. [PEOPLE-1] */
  recordOf(userId: string): PersonRecord | null {
    const user = this.users.get(userId);
    const leaver = this.#shard.leaverEntry(userId);
    const choice = this.#directory.choiceOf(userId);
    if (user !== undefined) return { lobby: this.name, user: infoOf(user), choice, lastSeen: null };
    if (leaver === undefined) return null;
    return { lobby: this.name, user: { ...leaver.user, id: userId }, choice, lastSeen: leaver.lastSeen };
  }

  sweep(now: number): void {
    this.#forgotten(this.#shard.write([], now, this.#setup.clock.wall()));
  }

  close(): void {
    this.#flusher.close({ flush: false });
    this.#watchers.close();
    this.room.close();
    this.others.close();
    this.#shard.destroy();
  }

  /** What a reader of the document finds of a user; null: nothing. */
  #entryOf(userId: string): LobbyUser | null {
    const { clock } = this.#setup;
    const user = this.users.get(userId);
    if (user !== undefined) return lobbyUser(user, clock.wall(), this.#policy.lobbyRooms);
    const isRemembered = this.#shard.leaver(userId, clock.now()) !== undefined;
    return (isRemembered ? this.#shard.leaverEntry(userId) : undefined) ?? this.others.leaver(userId);
  }

  /** Other relays hear of a choice before they can hear of anything else that comes of it. [BUS-15] */
  #watched(userId: string, act: () => Effects<PresentEntry>): Effects<PresentEntry> {
    if (this.onChoice === null) return this.#scheduled(act());
    const before = this.#directory.ownChoice(userId);
    const effects = act();
    const after = this.#directory.ownChoice(userId);
    if (before?.at !== after?.at || before?.status !== after?.status) this.onChoice(userId, after);
    return this.#scheduled(effects);
  }

  #scheduled(effects: Effects<PresentEntry>): Effects<PresentEntry> {
    if (effects.isNews) this.#flusher.schedule();
    return effects;
  }

  #flush(): void {
    const { clock, onEvents } = this.#setup;
    const events: readonly PresenceEvent[] = this.#directory.flush(clock.now(), clock.wall());
    // those whose entries cost readers much are written later
    if (this.#directory.pending) this.#flusher.scheduleLater();
    // [LOBBY-15]
    const { ownEvents } = this.#directory;
    if (ownEvents.length > 0) this.#forgotten(this.#shard.write(ownEvents, clock.now(), clock.wall()));
    this.#tellKnown(ownEvents.filter(isToOutlive).map(({ userId }) => userId));
    this.#watchers.tell(events);
    if (events.length > 0) onEvents(events);
  }

  #forgotten(userIds: readonly string[]): void {
    for (const userId of userIds) this.#directory.forget(userId);
    this.#tellKnown(userIds);
    this.#watchers.tellOf(userIds);
  }

  #tellKnown(userIds: readonly string[]): void {
    if (userIds.length > 0) this.#setup.onKnown(this.name, userIds);
  }
}

/** Whether an event changes what is to be known of a user when the relay is started again. Guests never come back. */
function isToOutlive(event: PresenceEvent): boolean {
  if (isGuest(event.userId)) return false;
  if (event.type !== "update") return true;
  const { previous, user } = event;
  return previous.manual !== user.manual || !equal(infoOf(previous), infoOf(user));
}
