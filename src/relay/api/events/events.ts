/**
 * Events over HTTP: who listens, what they missed, and how things are for those who missed too much. Nothing is written down
 * while nobody listens, or did so of late. [API-27] [API-28] [API-29]
 */
import type { Unsubscribe, User } from "../../../presence/index.ts";
import { LOBBY, isLobby } from "../../../wire/index.ts";
import { keyOf } from "../../../util/key.ts";
import type { IdentifiedEvent } from "../../ports/event-sink.ts";
import type { LinkedHub } from "../../wiring/linked-hub.ts";
import { type ApiGrant, seesRoom } from "../access/grant.ts";
import { ApiError } from "../answers/error.ts";
import { userJson } from "../answers/people.ts";
import type { World } from "../world.ts";
import { EventLog } from "./log.ts";
import { type Heard, EventStream, eventMessage } from "./stream.ts";

/** What somebody listens to. */
export interface EventFilter {
  /** The lobby, as a room, whose people are meant; null: all. */
  readonly lobby: string | null;
  readonly room: string | undefined;
  readonly prefix: string | undefined;
  readonly user: string | undefined;
}

interface Listening {
  readonly caller: string;
  /** What was opened for it may close. */
  readonly release: Unsubscribe;
}

/** After the last listener has left, events are still written down for this time, for a listener who comes back, ms. */
const LINGER_MS = 5 * 60_000;
const KEEP_ALIVE_MS = 15_000;
const MAX_STREAMS = 1_000;
const MAX_STREAMS_OF_ONE = 100;

export class Events {
  readonly #hub: LinkedHub;
  readonly #world: World;
  readonly #streams = new Map<EventStream, Listening>();
  /** The callers of those who are about to listen: they have a place already. */
  readonly #opening: string[] = [];
  #isClosed = false;
  #log: EventLog | null = null;
  #unsubscribe: Unsubscribe | null = null;
  /** The lobby of each user in each room, as of their last event there. */
  readonly #lobbies = new Map<string, string | null>();
  #keepAlive: ReturnType<typeof setInterval> | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;

  constructor(hub: LinkedHub, world: World) {
    this.#hub = hub;
    this.#world = world;
  }

  /** Answers with events from now on, or from where the caller was. @param lastEventId null: the caller is new */
  async open(grant: ApiGrant, filter: EventFilter, lastEventId: string | null): Promise<Response> {
    const release = await this.#enter(grant, filter);
    // it was closed meanwhile: nobody would end what is begun now
    if (this.#isClosed) {
      release();
      throw new ApiError(503, "stopping", "the relay is stopping");
    }
    const log = this.#begin();
    const wants = (event: Heard): boolean => isFor(event, grant, filter);
    const stream = new EventStream(wants, (ended) => this.#ended(ended));
    this.#streams.set(stream, { caller: grant.caller, release });
    const missed = lastEventId === null ? null : log.since(lastEventId);
    const first = missed === null ? [this.#reset(grant, filter, log.lastId)] : missed.filter(wants).map(messageOf);
    stream.begin([RETRY, ...first]);
    this.#shed();
    return stream.response;
  }

  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams.keys()) stream.close();
    this.#stop();
  }

  /** Takes a place among the listeners, and opens what is listened to. Many may ask at once, and wait for that. [API-30] */
  async #enter(grant: ApiGrant, filter: EventFilter): Promise<Unsubscribe> {
    this.#checkCount(grant.caller);
    this.#opening.push(grant.caller);
    try {
      return await this.#openPlaces(grant, filter);
    } finally {
      this.#opening.splice(this.#opening.indexOf(grant.caller), 1);
    }
  }

  #checkCount(caller: string): void {
    const callers = [...this.#opening, ...[...this.#streams.values()].map((each) => each.caller)];
    const own = callers.filter((each) => each === caller).length;
    if (own < MAX_STREAMS_OF_ONE && callers.length < MAX_STREAMS) return;
    const message = `at most ${MAX_STREAMS_OF_ONE} may listen with one key at a time, and ${MAX_STREAMS} in all`;
    throw new ApiError(429, "too_many_streams", message, { retryAfterS: 5 });
  }

  /** On a bus, what is listened to is open here for as long: else what happens on other relays would not be heard. [API-39] */
  async #openPlaces(grant: ApiGrant, { lobby, room }: EventFilter): Promise<Unsubscribe> {
    const { elsewhere } = this.#hub;
    if (elsewhere === null) return () => {};
    const places = new Set(grant.seesRoom === null ? [lobby ?? LOBBY] : []);
    if (room !== undefined) places.add(room);
    const undo = await Promise.all([...places].map((place) => elsewhere.open(place)));
    return () => {
      for (const release of undo) release();
    };
  }

  #begin(): EventLog {
    clearTimeout(this.#linger);
    this.#keepAlive ??= setInterval(() => this.#beat(), KEEP_ALIVE_MS);
    if (this.#log !== null) return this.#log;
    // a number that no event has: so nobody who was here before takes this for a continuation
    this.#log = new EventLog(this.#hub.events.nextId());
    for (const room of this.#hub.core.rooms.values()) {
      for (const userId of room.users.keys()) this.#lobbies.set(keyOf(room.name, userId), room.people.lobbyOf(userId));
    }
    this.#unsubscribe = this.#hub.events.on("event", (event) => this.#hear(event));
    return this.#log;
  }

  #hear(event: IdentifiedEvent): void {
    const { id, type, roomId: place, userId } = event;
    const lobby = this.#lobbyOf(event);
    const message = eventMessage(id, type, eventJson(event, this.#world.now));
    const logged = { id, place, userId, lobby, message };
    this.#log?.push(logged);
    for (const stream of this.#streams.keys()) stream.tell(logged);
    this.#shed();
  }

  /** The lobby that a user counts in where it happened; of one who left, as it was. */
  #lobbyOf({ type, roomId, userId }: IdentifiedEvent): string | null {
    if (isLobby(roomId)) return roomId;
    const key = keyOf(roomId, userId);
    const known = this.#lobbies.get(key);
    if (type === "leave") {
      this.#lobbies.delete(key);
      return known ?? null;
    }
    const now = this.#hub.core.rooms.get(roomId)?.people.lobbyOf(userId) ?? null;
    // one who was here through two lobbies is nobody to those who see one alone, until they leave
    const lobby = known === undefined || known === now ? now : null;
    this.#lobbies.set(key, lobby);
    return lobby;
  }

  /** How things are: what the caller knew before does not hold any more. [API-29] */
  #reset(grant: ApiGrant, filter: EventFilter, id: string): Uint8Array {
    const { now } = this.#world;
    const places = [...this.#places(grant, filter)].flatMap(([roomId, users]) => {
      const texts = [...users].map((user) => userJson(user, now));
      return texts.length === 0 ? [] : [`{"roomId":${JSON.stringify(roomId)},"users":[${texts.join(",")}]}`];
    });
    const data = `{"type":"reset","id":${JSON.stringify(id)},"timestamp":${now},"places":[${places.join(",")}]}`;
    return eventMessage(id, "reset", data);
  }

  *#places(grant: ApiGrant, filter: EventFilter): Iterable<readonly [string, Iterable<User>]> {
    const { core } = this.#hub;
    const ofUser = (users: ReadonlyMap<string, User>): User[] => {
      return [...users.values()].filter(({ id }) => filter.user === undefined || id === filter.user);
    };
    const names = [...core.lobbies.keys(), ...core.rooms.keys()];
    for (const name of names) {
      if (!isPlaceFor(name, grant, filter)) continue;
      if (isLobby(name)) yield [name, ofUser(this.#world.users(grant, name))];
      else yield [name, ofUser(this.#world.room(name, filter.lobby).users)];
    }
  }

  /** [API-40] Cuts off those who leave most unread, while more waits for all listeners together than may. */
  #shed(): void {
    const { maxUnsentTotal } = this.#hub.settings;
    let unread = 0;
    for (const stream of this.#streams.keys()) unread += stream.unread;
    if (maxUnsentTotal === 0 || unread <= maxUnsentTotal) return;
    for (const stream of [...this.#streams.keys()].toSorted((a, b) => b.unread - a.unread)) {
      if (unread <= maxUnsentTotal) return;
      unread -= stream.unread;
      stream.cutOff();
    }
  }

  #beat(): void {
    for (const stream of this.#streams.keys()) stream.keepAlive();
  }

  #ended(stream: EventStream): void {
    this.#streams.get(stream)?.release();
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#keepAlive);
    this.#keepAlive = undefined;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.#stop(), LINGER_MS);
    // nothing waits for it
    this.#linger.unref();
  }

  #stop(): void {
    clearInterval(this.#keepAlive);
    this.#keepAlive = undefined;
    clearTimeout(this.#linger);
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#log = null;
    this.#lobbies.clear();
  }
}

/** A reader that loses its connection comes back after a second. */
const RETRY = new TextEncoder().encode("retry: 1000\n\n");

function messageOf({ message }: Heard): Uint8Array {
  return message;
}

/** Whether one hears of an event. [API-10] [API-11] */
function isFor({ place, userId, lobby }: Heard, grant: ApiGrant, filter: EventFilter): boolean {
  if (filter.user !== undefined && userId !== filter.user) return false;
  return isPlaceFor(place, grant, filter) && (filter.lobby === null || filter.lobby === lobby);
}

/** Whether one hears of a room or lobby. A key for some rooms hears nothing of lobbies, which say what people do elsewhere. */
function isPlaceFor(place: string, grant: ApiGrant, { lobby, room, prefix }: EventFilter): boolean {
  if (isLobby(place)) {
    if (grant.seesRoom !== null || (lobby !== null && place !== lobby)) return false;
  } else if (!seesRoom(grant, place)) return false;
  if (room !== undefined && place !== room) return false;
  return prefix === undefined || (!isLobby(place) && place.startsWith(prefix));
}

function eventJson(event: IdentifiedEvent, now: number): string {
  const { id, type, userId, status, metadata, roomId, timestamp, user } = event;
  const text = JSON.stringify({ id, type, userId, status, metadata, roomId, timestamp }).slice(0, -1);
  const previous = event.type === "update" ? `,"previous":${userJson(event.previous, now)}` : "";
  return `${text},"user":${userJson(user, now)}${previous}}`;
}
