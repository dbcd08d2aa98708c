/**
 * Those who are told of a lobby without its document: of the people whom they named, and of numbers. Each change reaches them
 * with the flush that writes it down for readers of the document. [WATCH-1]
 */
import type { StateMemory } from "../../../awareness/index.ts";
import { Counts } from "../../../lobby/counts.ts";
import type { LobbyUser } from "../../../lobby/index.ts";
import { isHidden } from "../../../lobby/shard.ts";
import type { PresenceEvent, User } from "../../../presence/index.ts";
import {
  Close,
  FrameError,
  MAX_WATCHED,
  type UnwatchRequest,
  type WatchRequest,
  peopleFrame,
} from "../../../wire/index.ts";
import type { Member } from "../../ports/member.ts";
import { Packet, control } from "../../ports/packet.ts";
import type { LobbyWatchers } from "../room.ts";

/** What watchers need of their lobby. */
export interface Watchable {
  /** Everyone who is here. */
  users(): Iterable<User>;
  size(): number;
  /** What a reader of the document would find of a user; null: nothing, or nothing that others may see. [WATCH-6] */
  entryOf(userId: string): LobbyUser | null;
  /** Whether it says which rooms people are in. [WATCH-7] */
  readonly tellsRooms: boolean;
  /** Users who are in the rooms that a member's client is in, but so many at most. */
  usersBeside(member: Member, most: number): ReadonlySet<string>;
}

/** A lobby of fewer people comes in a message or two. */
const LARGE_LOBBY = 500;
/** So many of those in the own rooms are told of before all others: as many as a page shows, and some more. */
const MOST_FIRST = 200;
/** Characters of people in one message of a long answer, about: other messages can go between. */
const PART_LENGTH = 32 * 1024;
const NOBODY: ReadonlySet<string> = new Set();
/** What it takes to remember that somebody is watched, besides the id, about: bytes. */
const WATCH_BYTES = 200;

/** Counts what connections from an address have the relay remember. */
export type WatchMemory = Pick<StateMemory, "admit" | "changed">;

export class Watchers implements LobbyWatchers {
  readonly #lobby: Watchable;
  readonly #memory: WatchMemory;
  readonly #watched = new Map<Member, Set<string>>();
  readonly #byUser = new Map<string, Set<Member>>();
  readonly #counting = new Set<Member>();
  /** null: nobody is told numbers. */
  #counts: Counts | null = null;

  constructor(lobby: Watchable, memory: WatchMemory) {
    this.#lobby = lobby;
    this.#memory = memory;
  }

  /** Acts on what a member asks for. Throws a `FrameError` for too many people. */
  take(member: Member, request: WatchRequest | UnwatchRequest): void {
    if (request.kind === "unwatch") return this.#unwatch(member, request.users);
    // a member that may not see who is here is told of nobody [GRANT-8] [WATCH-5]
    if (!member.access.observe) return this.#tellPeople(member, [], true);
    if (request.counts === true) this.#count(member);
    this.#watch(member, new Set(request.users));
  }

  /** [LOBBY-19] Tells one that asks for a large document of those in its own rooms, whose parts of it may be the last to come. */
  tellFirst(member: Member): void {
    if (member.kind !== "native" || !member.access.observe || this.#lobby.size() < LARGE_LOBBY) return;
    const beside = [...this.#lobby.usersBeside(member, MOST_FIRST)];
    // some of them may count in another lobby
    const known = beside.filter((userId) => this.#lobby.entryOf(userId) !== null);
    if (known.length > 0) this.#tellAll(member, known, false);
  }

  left(member: Member): void {
    this.#unwatch(member, this.#watched.get(member) ?? NOBODY);
    this.#counting.delete(member);
    if (this.#counting.size === 0) this.#counts = null;
  }

  /** Tells what a flush of the lobby changed. */
  tell(events: readonly PresenceEvent[]): void {
    for (const { type, userId, user } of this.#counts === null ? [] : events) {
      this.#counts?.set(userId, type === "leave" ? undefined : user);
    }
    const news = this.#counts?.news() ?? null;
    if (news !== null) {
      const packet = control({ kind: "counts", ...news });
      for (const member of this.#counting) member.send(packet);
    }
    if (this.#byUser.size === 0) return;
    const { tellsRooms } = this.#lobby;
    this.tellOf(events.filter((event) => !isHidden(event, tellsRooms)).map(({ userId }) => userId));
  }

  /** Tells of users of whom something else is known than before. */
  tellOf(userIds: readonly string[]): void {
    const said = new Map<Member, string[]>();
    for (const userId of new Set(userIds)) {
      const members = this.#byUser.get(userId);
      if (members === undefined) continue;
      const person = this.#personOf(userId);
      for (const member of members) {
        const people = said.get(member);
        if (people === undefined) said.set(member, [person]);
        else people.push(person);
      }
    }
    // most news is of one person, whom many may watch
    const packets = new Map<string, Packet>();
    for (const [member, people] of said) {
      const key = people.join();
      const packet = packets.get(key) ?? new Packet(peopleFrame(people, false));
      packets.set(key, packet);
      member.send(packet);
    }
  }

  close(): void {
    for (const [member, userIds] of this.#watched) this.#unwatch(member, userIds);
    this.#watched.clear();
    this.#byUser.clear();
    this.#counting.clear();
    this.#counts = null;
  }

  #count(member: Member): void {
    this.#counts ??= new Counts(this.#lobby.users(), this.#lobby.tellsRooms);
    this.#counting.add(member);
    member.send(control({ kind: "counts", ...this.#counts.whole, whole: true }));
  }

  #watch(member: Member, userIds: ReadonlySet<string>): void {
    const watched = this.#watched.get(member) ?? new Set();
    const added = [...userIds].filter((userId) => !watched.has(userId));
    // [WATCH-4]
    if (watched.size + added.length > MAX_WATCHED) {
      throw new FrameError(`more than ${MAX_WATCHED} people are watched`, Close.tooLarge);
    }
    const bytes = added.reduce((sum, userId) => sum + bytesOf(userId), 0);
    // [WATCH-9]
    this.#memory.admit(member.address, bytes);
    this.#memory.changed(member.address, bytes);
    if (added.length > 0) this.#watched.set(member, watched);
    for (const userId of added) {
      watched.add(userId);
      const members = this.#byUser.get(userId);
      if (members === undefined) this.#byUser.set(userId, new Set([member]));
      else members.add(member);
    }
    this.#tellAll(member, userIds, true);
  }

  /** @param isAnswer of a `watch`, whose end is told */
  #tellAll(member: Member, userIds: Iterable<string>, isAnswer: boolean): void {
    let part: string[] = [];
    let length = 0;
    for (const userId of userIds) {
      const person = this.#personOf(userId);
      if (length + person.length > PART_LENGTH && part.length > 0) {
        this.#tellPeople(member, part, false);
        [part, length] = [[], 0];
      }
      part.push(person);
      length += person.length;
    }
    this.#tellPeople(member, part, isAnswer);
  }

  #unwatch(member: Member, userIds: Iterable<string>): void {
    const watched = this.#watched.get(member);
    if (watched === undefined) return;
    for (const userId of userIds) {
      if (watched.delete(userId)) this.#memory.changed(member.address, -bytesOf(userId));
      const members = this.#byUser.get(userId);
      if (members?.delete(member) === true && members.size === 0) this.#byUser.delete(userId);
    }
    if (watched.size === 0) this.#watched.delete(member);
  }

  #personOf(userId: string): string {
    return JSON.stringify([userId, this.#lobby.entryOf(userId)]);
  }

  #tellPeople(member: Member, people: readonly string[], isDone: boolean): void {
    member.send(new Packet(peopleFrame(people, isDone)));
  }
}

function bytesOf(userId: string): number {
  return WATCH_BYTES + 2 * userId.length;
}
