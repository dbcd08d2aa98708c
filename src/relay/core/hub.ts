/**
 * The hub: rooms and lobbies, the members in them, and what becomes of lost connections. It knows no sockets.
 *
 * Frames go one way through it: a room returns changes, a lobby's directory turns them into effects, and the hub hands both
 * to the rooms that tell their members.
 */
import { randomBytes } from "node:crypto";
import {
  type Author,
  type Change,
  type PresentEntry,
  type RemoteOutcome,
  type RemoteState,
  type SessionsByUser,
  StateMemory,
} from "../../awareness/index.ts";
import type { Effects } from "../../lobby/index.ts";
import type { PresenceEvent, Unsubscribe } from "../../presence/index.ts";
import { type Frame, FrameError, type SessionChange, isLobby } from "../../wire/index.ts";
import { AddressIds } from "../access/address-ids.ts";
import { Bans } from "../access/bans.ts";
import { helloOf } from "../access/hello.ts";
import { LobbyPlaces } from "../access/lobby-places.ts";
import { Documents } from "../documents/index.ts";
import { type Clock, type DatingClock, datingClock } from "../ports/clock.ts";
import type { Member } from "../ports/member.ts";
import type { PeopleStore, StoredPerson } from "../ports/stores/people-store.ts";
import type { Probe } from "../ports/probe.ts";
import { control } from "../ports/packet.ts";
import type { RelaySettings } from "../ports/settings.ts";
import { byLobby } from "../people/by-lobby.ts";
import { PeopleKeeper } from "../people/keeper.ts";
import { MemoryBudget } from "../util/budget.ts";
import { Counters } from "./counters.ts";
import { FlushLoad } from "./flush/pace.ts";
import { Grace, moveGraceOf } from "./grace/grace.ts";
import { HandedOver } from "./grace/handed-over.ts";
import { isLeave } from "./grace/leave.ts";
import { Rush } from "./grace/rush.ts";
import { inLobbiesBeside, usersBeside } from "./lobby/beside.ts";
import type { HeldSession } from "./lobby/held.ts";
import type { Lobby } from "./lobby/lobby.ts";
import { membersOf } from "./members-of.ts";
import { type RoomListener, RoomRegistry } from "./registry.ts";
import type { Room } from "./room.ts";
import type { HubPorts, RoomSetup } from "./setup.ts";

/** Who is told of what happens in the hub. */
export interface HubListener extends RoomListener {
  events(events: readonly PresenceEvent[]): void;
  /** The document of a room changed. */
  edited(room: string): void;
  /** Something went wrong that ended nothing. @param where the part of the relay that failed */
  error(error: unknown, where: string): void;
}

export class Hub {
  /** The id of this relay's shard in every lobby, but for a number in one that is made anew. */
  readonly shard: string = `r_${randomBytes(9).toString("base64url")}`;
  readonly clock: Clock;
  readonly probe: Probe;
  readonly documents: Documents;
  /** Null: what is known of people is not stored. */
  readonly people: PeopleKeeper | null;
  readonly counters: Counters = new Counters();
  readonly stateMemory: StateMemory;
  /** The hub holds the place of each lobby in which it knows of somebody. */
  readonly lobbyPlaces: LobbyPlaces;
  /** Users who are refused for a while. */
  readonly bans: Bans = new Bans();
  readonly #settings: RelaySettings;
  readonly #registry: RoomRegistry;
  readonly #load: FlushLoad;
  readonly #rush: Rush;
  readonly dates: DatingClock;
  readonly #members = new Map<Member, Room>();
  readonly grace: Grace<PresentEntry>;
  /** Entries of clients that have gone to another relay: this relay still counts them in their lobbies. */
  readonly #handedOver: HandedOver<PresentEntry>;
  readonly #listener: HubListener;
  readonly #idsFrom: AddressIds;

  constructor(
    settings: RelaySettings,
    listener: HubListener,
    { clock, store, hasDocuments, busySince, probe }: HubPorts,
  ) {
    this.#load = new FlushLoad(busySince);
    this.#settings = settings;
    this.#idsFrom = new AddressIds(settings.maxAddressUsers);
    this.#listener = listener;
    this.clock = clock;
    this.probe = probe;
    this.documents = new Documents(
      settings,
      store,
      (error) => listener.error(error, "documents"),
      clock,
      (room) => listener.edited(room),
    );
    this.lobbyPlaces = new LobbyPlaces(settings);
    this.stateMemory = new StateMemory(settings.maxStatesTotal);
    this.dates = datingClock(clock);
    this.#rush = new Rush(clock, () => this.counters.here);
    this.grace = new Grace({
      clock,
      lostMs: settings.leaveGrace,
      sentAwayMs: moveGraceOf(settings),
      expire: (entry) => this.#expire(entry),
      awaitedSince: () => this.#rush.awaitedSince,
    });
    this.#handedOver = new HandedOver(clock, (entry) => this.#handedOverTo(entry));
    const setup: RoomSetup = {
      limits: settings,
      tie: Math.random(),
      stateMemory: this.stateMemory,
      leaverMemory: new MemoryBudget(settings.maxStatesTotal),
      messageMemory: new MemoryBudget(settings.maxUnsentTotal),
      tick: settings.tick,
      maxCursors: settings.maxCursors,
      clock,
      load: this.#load,
      rush: this.#rush,
      probe,
      date: () => this.dates.date(),
      firstClock: () => this.dates.steady(),
      admitUsers: (author, lobby, sessions, newIds) => this.#admitUsers(author, lobby, sessions, newIds),
      onKnown: (lobby, userIds) => {
        for (const userId of userIds) this.people?.changed(lobby, userId);
      },
      onEvents: (events) => listener.events(events),
      usersBeside: (member, most) => usersBeside(member, (each) => this.#members.get(each), most),
      isWithheld: ({ lobby, claim }) => this.lobbies.get(lobby)?.isWithheld(claim.user.id) === true,
      onDropped: (what) => this.counters.countDropped(what),
    };
    this.#registry = new RoomRegistry({
      room: setup,
      lobby: settings,
      shard: { shard: this.shard, startedAt: clock.wall() },
      documents: hasDocuments ? this.documents : null,
      lobbyPlaces: this.lobbyPlaces,
      listener,
    });
    this.people = store?.people === undefined ? null : this.#keeper(store.people, settings.recentTtl);
  }

  /** Rooms that are no lobbies, by name. */
  get rooms(): ReadonlyMap<string, Room> {
    return this.#registry.rooms;
  }

  get lobbies(): ReadonlyMap<string, Lobby> {
    return this.#registry.lobbies;
  }

  /** Tells of who comes and goes in rooms, until the last observer has undone it. */
  observe(): Unsubscribe {
    return this.#registry.observe();
  }

  /**
   * Takes a member that was let in to a room. Its first word tells a client of ours where it is, and what it may do.
   *
   * @param keepsHistory its document goes back in its history
   */
  join(member: Member, name: string, keepsHistory = false): void {
    const room = this.#registry.open(name);
    if (keepsHistory && member.access.write) room.document.keepHistory();
    this.#members.set(member, room);
    if (member.kind !== "relay") this.counters.countAccepted();
    if (member.kind === "native") {
      const hello = helloOf(this.shard, this.#settings, name, member.access, {
        now: this.dates.date(),
        wall: this.clock.wall(),
      });
      member.send(control(hello));
    }
    room.join(member);
  }

  /** Opens a room for somebody who does not join it, but wants its document. Returns the undo. */
  hold(name: string): { readonly room: Room; readonly release: Unsubscribe } {
    const room = this.#registry.open(name);
    const undo = room.hold();
    return {
      room,
      release: () => {
        undo();
        this.#registry.freeIfEmpty(room);
      },
    };
  }

  /** Acts on a frame of a member. Throws `FrameError` when the frame breaks the protocol, having taken nothing of it. */
  receive(member: Member, frame: Frame, now: number): void {
    const room = this.#members.get(member);
    if (room !== undefined) this.#act(room, room.receive(member, frame, { now, date: this.dates.date() }));
  }

  /** The session of a member says something else of itself. Where the relay does not take that, the member is closed. [LINK-14] */
  restate(member: Member, change: SessionChange): void {
    const room = this.#members.get(member);
    if (room === undefined) return;
    try {
      this.#act(room, room.restate(member, change, { now: this.clock.now(), date: this.dates.date() }));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      member.close(error.code, error.message);
    }
  }

  /** Takes what another relay says of its own people in a room. Returns the clocks that it has to go on above. [BUS-8] */
  receiveRemote(member: Member, said: readonly RemoteState[], now: number): RemoteOutcome["behind"] {
    const room = this.#members.get(member);
    if (room === undefined) return [];
    const { changes, behind } = room.register.applyRemote(member, said, now);
    this.#act(room, changes);
    return behind;
  }

  /** Has a lobby take what other relays say of it. */
  inLobby(name: string, run: (lobby: Lobby) => Effects<PresentEntry>): void {
    const lobby = this.lobbies.get(name);
    if (lobby !== undefined) this.#take(run(lobby));
  }

  /** [BUS-52] Another relay tells since when a session speaks in a lobby through it. */
  heldElsewhere(name: string, held: HeldSession): void {
    const lobby = this.lobbies.get(name);
    if (lobby === undefined) return;
    for (const entry of lobby.held.before(held)) {
      if (this.#handedOver.deadlineOf(entry) !== undefined) continue;
      this.#act(lobby.room, lobby.room.register.handOver(entry));
      this.#handedOver.hold(entry);
    }
  }

  /** The page of a member fell silent, or spoke again. */
  silence(member: Member): void {
    const room = this.#members.get(member);
    if (room === undefined) return;
    this.#act(
      room,
      room.register.ownedBy(member).map((entry) => ({ type: "claimed", entry })),
    );
  }

  /** A member has read all that it was sent, after it lagged. */
  drained(member: Member): void {
    this.#members.get(member)?.catchUp(member);
  }

  /** A member is gone. @param code how its connection ended, as WebSocket has it */
  leave(member: Member, code: number, now: number): void {
    const room = this.#members.get(member);
    if (room === undefined) return;
    this.#members.delete(member);
    if (member.kind !== "relay") this.counters.countClosed(code);
    const changes = room.leave(member, now, (entry) => isLeave(code, member, entry));
    // the entries that the member still owned may come back
    for (const change of changes) if (change.type === "claimed") this.grace.lost(change.entry, code);
    this.#act(room, changes);
    this.#registry.freeIfEmpty(room);
  }

  /** The members that a user is here through. @param lobby null: whatever lobby they count in */
  membersOf(userId: string, lobby: string | null): readonly Member[] {
    return membersOf(userId, lobby, this.#members);
  }

  /** How much of the relay's time since its start is not charged to those whose messages it was spent on, ms. */
  get sparedMs(): number {
    return this.#load.sparedMs;
  }

  /** Ends bans whose time is over, and has rooms and lobbies do what is due. */
  sweep(now: number): void {
    this.bans.sweep(now);
    this.#registry.sweep(now);
  }

  /** Why the hub cannot do all of its work; null: it can. [STORE-15] */
  get trouble(): string | null {
    const isFailing = this.documents.storeMetrics?.isFailing === true || this.people?.isFailing === true;
    return isFailing ? "the store fails" : null;
  }

  /** Frees all that is held. Members that are still there hear no more of anybody. */
  close(): void {
    this.grace.stop();
    this.#handedOver.stop();
    this.#rush.stop();
    this.#registry.close();
  }

  #keeper(store: PeopleStore, recentTtl: number): PeopleKeeper {
    const source = {
      remember: (people: readonly StoredPerson[]) => this.#remember(people),
      recordOf: (lobby: string, userId: string) => this.lobbies.get(lobby)?.recordOf(userId) ?? null,
    };
    const onError = (error: Error): void => this.#listener.error(error, "people");
    return new PeopleKeeper(source, { store, relay: this.shard, clock: this.clock, recentTtl, onError });
  }

  /** Takes in people whom the store remembers, but not those of lobbies for which there is no place. [PEOPLE-1] */
  #remember(people: readonly StoredPerson[]): void {
    const { maxLobbies } = this.#settings;
    for (const [name, some] of byLobby(people)) {
      const hasPlace = this.lobbies.has(name) || maxLobbies === 0 || this.lobbyPlaces.size < maxLobbies;
      if (isLobby(name) && hasPlace) this.#take(this.#registry.openLobby(name).remember(some));
    }
  }

  /** Acts on what a frame or a loss brought about, in order. */
  #act(room: Room, changes: readonly Change[]): void {
    for (const change of changes) {
      switch (change.type) {
        case "entered":
          this.#idsFrom.count(change.entry.address, 1);
          this.#report(change.entry);
          break;
        case "claimed":
          if (change.entry.phase === "orphaned") this.grace.hold(change.entry);
          else this.grace.release(change.entry);
          this.#report(change.entry);
          break;
        case "renamed":
          this.#report(change.entry);
          break;
        case "left":
          this.#idsFrom.count(change.entry.address, -1);
          this.grace.release(change.entry);
          this.#withdraw(change.entry);
          break;
        case "superseded":
          if (change.elsewhere) this.#leaveLobby(room.members.of(change.author), change.session);
          break;
        case "changed":
        case "returned":
        case "taken":
          break;
      }
      room.publish(change);
    }
  }

  /** Tells the lobby that an entry counts in, and no other, what the entry says. [PRIV-1] */
  #report(entry: PresentEntry): void {
    if (!entry.isRemote) {
      this.#handedOver.release(entry);
      return this.#take(this.#registry.openLobby(entry.lobby).report(entry));
    }
    // [BUS-27] its own relay counts it, and says nothing of those who may not be seen
    if (this.lobbies.get(entry.lobby)?.counts(entry) === true) this.#handedOver.hold(entry);
    this.#registry.roomOf(entry)?.show(entry, true);
  }

  /** [BUS-51] The client of a member has gone to another relay, which speaks for it in lobbies from now on. */
  #leaveLobby(member: Member | null, session: string): void {
    for (const entry of inLobbiesBeside(member, session, this.#members)) this.#handedOver.hold(entry);
  }

  /** All readers have heard by now that an entry's client is at another relay. */
  #handedOverTo(entry: PresentEntry): void {
    const room = this.#registry.roomOf(entry);
    if (room === undefined || !isLobby(room.name)) this.#withdraw(entry);
    else this.#act(room, room.register.remove(entry, this.clock.now()));
  }

  #withdraw(entry: PresentEntry): void {
    this.#handedOver.release(entry);
    this.#take(this.lobbies.get(entry.lobby)?.withdraw(entry));
  }

  /** Acts on what a lobby's directory says, in all rooms that its users are in. */
  #take(effects: Effects<PresentEntry> | undefined): void {
    if (effects === undefined) return;
    for (const [entry, visible] of effects.visibility) this.#registry.roomOf(entry)?.show(entry, visible);
    for (const [entry, choice] of effects.choices) this.#registry.roomOf(entry)?.tellChoice(entry, choice);
  }

  #expire(entry: PresentEntry): void {
    const room = this.#registry.roomOf(entry);
    if (room === undefined) return;
    this.#act(room, room.expire(entry, this.clock.now()));
    this.#registry.freeIfEmpty(room);
  }

  /** Throws a `FrameError` if an author may not bring these users. [LIMIT-3] [LOBBY-11] */
  #admitUsers({ address, kind }: Author, lobby: string, sessions: SessionsByUser, newIds: number): void {
    // [API-24] where the relay asks nobody who they are, it learns it from the states that they announce
    for (const userId of kind === "relay" ? [] : sessions.keys()) {
      const ban = this.bans.of(userId, lobby, this.clock.now());
      if (ban !== null) throw new FrameError(ban.reason, ban.code);
    }
    this.#idsFrom.admit(address, newIds);
    this.#registry.openLobby(lobby).admitUsers(sessions);
  }
}
