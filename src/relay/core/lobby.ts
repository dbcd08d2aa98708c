/**
 * A lobby: a room whose document the relay writes. Everyone who is anywhere counts in it; what its own connections say
 * of themselves is taken in, never passed on. [LOBBY-1] [LOBBY-3]
 */
import type { PresentEntry, SessionsByUser } from "../../awareness/index.ts";
import { Directory, type Effects, type ShardPolicy, Shard } from "../../lobby/index.ts";
import type { PresenceEvent, User } from "../../presence/index.ts";
import { FrameError, Close, type RelayState, StateBytes, Ticker, fieldsOf } from "../../wire/index.ts";
import { ReadOnlyDocument } from "../documents/index.ts";
import { immediate } from "../util/immediate.ts";
import type { Packet } from "../ports/packet.ts";
import { wallTimeOf } from "../ports/clock.ts";
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
    this.#directory = new Directory(name);
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

  sweep(now: number): void {
    this.#shard.write([], now, this.#setup.clock.wall());
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
    this.#shard.write(events, clock.now(), clock.wall());
    const endedAt = clock.now();
    this.#pace.flushed(endedAt - startedAt, endedAt);
    onEvents(events);
  }
}
