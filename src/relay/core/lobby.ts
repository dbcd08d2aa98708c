/**
 * A lobby: a room whose document the relay writes. Everyone who is anywhere counts in it; what its own connections say
 * of themselves is taken in, never passed on. [LOBBY-1] [LOBBY-3]
 */
import type { PresentEntry, SessionsByUser } from "../../awareness/index.ts";
import { Directory, type Effects, type RelayState, type ShardPolicy, Shard } from "../../lobby/index.ts";
import { type PresenceEvent, type User, equal, infoOf, isGuest } from "../../presence/index.ts";
import { FrameError, Close, StateBytes, Ticker, fieldsOf } from "../../wire/index.ts";
import { ReadOnlyDocument } from "../documents/index.ts";
import { immediate } from "../util/immediate.ts";
import type { Packet } from "../ports/packet.ts";
import { wallTimeOf } from "../ports/clock.ts";
import type { PersonRecord, StoredPerson } from "../ports/people-store.ts";
import { Pace } from "./pace.ts";
import { Room, type RoomSetup, reportOf } from "./room.ts";

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
  readonly #directory: Directory<PresentEntry>;
  readonly #shard: Shard;
  readonly #setup: RoomSetup;
  readonly #policy: LobbyPolicy;
  readonly #pace: Pace;
  readonly #ticker: Ticker;

  constructor(name: string, relay: RelayState["copresence"]["relay"], setup: RoomSetup, policy: LobbyPolicy) {
    this.#setup = setup;
    this.#policy = policy;
    this.#directory = new Directory(name, policy.recentMax);
    this.#shard = new Shard(relay.shard, policy);
    this.room = new Room(name, setup, (room) => {
      const broadcast = (packet: Packet): void => room.sendUpdate(packet, null);
      return new ReadOnlyDocument(this.#shard.doc, broadcast, () =>
        this.#shard.open(this.users.values(), setup.clock.wall()),
      );
    });
    this.#pace = new Pace(setup.load, USUAL_INTERVAL_MS);
    this.#ticker = new Ticker(
      () => this.#pace.intervalMs(policy.lobbyTick, 0, setup.clock.now()),
      () => this.#flush(),
      immediate,
    );
    const state: RelayState = { copresence: { relay } };
    this.room.publish(this.room.register.setOwn(this.#shard.doc.clientID, new StateBytes(fieldsOf(state))));
  }

  get name(): string {
    return this.room.name;
  }

  get users(): ReadonlyMap<string, User> {
    return this.#directory.users;
  }

  /** Somebody who is here, or who left and is still remembered. */
  user(userId: string, now: number): User | undefined {
    return this.users.get(userId) ?? this.#shard.leaver(userId, now);
  }

  /** All who left and are still remembered. */
  leavers(now: number): User[] {
    return this.#shard.leavers(now).filter(({ id }) => !this.users.has(id));
  }

  /** Nobody is connected, nobody counts in it, nobody has yet to be said to have left, and nobody is remembered. */
  get empty(): boolean {
    return this.room.members.size === 0 && this.#directory.empty && this.#shard.recent === 0;
  }

  /** Throws a `FrameError` if these users, with these sessions, find no room here. [LIMIT-3] [LOBBY-12] */
  admitUsers(sessions: SessionsByUser): void {
    const { maxLobbyUsers, maxUserSessions } = this.#policy;
    let size = this.#directory.size;
    for (const [userId, ids] of sessions) {
      if (!this.#directory.has(userId)) size++;
      if (maxUserSessions === 0) continue;
      const count = this.#directory.sessionCountWith(userId, ids);
      if (count > maxUserSessions && count > this.#directory.sessionCount(userId)) {
        throw new FrameError("this user has too many sessions", Close.overloaded);
      }
    }
    if (maxLobbyUsers !== 0 && size > maxLobbyUsers && size > this.#directory.size) {
      throw new FrameError("the lobby is full", Close.overloaded);
    }
  }

  /** Takes what an entry says. What it brings about is for the hub to act on. */
  report(entry: PresentEntry): Effects<PresentEntry> {
    return this.#scheduled(this.#directory.report(entry, reportOf(entry), this.#setup.clock.wall()));
  }

  /** Takes out an entry that left. */
  withdraw(entry: PresentEntry): Effects<PresentEntry> {
    const { clock } = this.#setup;
    return this.#scheduled(this.#directory.withdraw(entry, wallTimeOf(entry.lastSeen, clock), clock.wall()));
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
    return this.#scheduled({
      visibility: effects.flatMap(({ visibility }) => visibility),
      choices: effects.flatMap(({ choices }) => choices),
      isNews: effects.some(({ isNews }) => isNews),
    });
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
    this.#ticker.stop();
    this.#pace.close();
    this.room.close();
    this.#shard.destroy();
  }

  #scheduled(effects: Effects<PresentEntry>): Effects<PresentEntry> {
    if (effects.isNews) this.#ticker.schedule();
    return effects;
  }

  #flush(): void {
    const { clock, onEvents } = this.#setup;
    const startedAt = clock.now();
    const events: readonly PresenceEvent[] = this.#directory.flush(clock.now(), clock.wall());
    // those whose entries cost readers much are written later
    if (this.#directory.pending) this.#ticker.schedule();
    if (events.length === 0) return;
    this.#forgotten(this.#shard.write(events, clock.now(), clock.wall()));
    const endedAt = clock.now();
    this.#pace.flushed(endedAt - startedAt, endedAt);
    this.#tellKnown(events.filter(isToOutlive).map(({ userId }) => userId));
    onEvents(events);
  }

  #forgotten(userIds: readonly string[]): void {
    for (const userId of userIds) this.#directory.forget(userId);
    this.#tellKnown(userIds);
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
