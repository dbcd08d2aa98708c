/**
 * Who was said to be online, and who to be in a room: so that each `user.online` has one `user.offline`, each `room.entered`
 * one `room.left`, and each `room.opened` one `room.emptied`, also when the relay's process ended in between. [HOOK-6]
 *
 * It says what to send and what to note down; it writes and sends nothing itself.
 */
import {
  type JsonObject,
  type PresenceEvent,
  type User,
  type UserInfo,
  departed,
  equal,
  infoOf,
} from "../../presence/index.ts";
import { isLobby } from "../../wire/index.ts";
import type { IdentifiedEvent } from "../ports/event-sink.ts";
import { type Message, type WebhookType, readVisit, roomMessage, snapshotOf, userMessage, visitOf } from "./message.ts";

/** A visit that began (with what to remember of the user), or that ended (null). */
export type VisitNote = readonly [visit: string, snapshot: string | null];

export interface Told {
  readonly messages: readonly Message[];
  readonly notes: readonly VisitNote[];
}

type Occurrence = Pick<PresenceEvent, "roomId" | "timestamp" | "user">;

export class Visits {
  readonly #types: ReadonlySet<WebhookType>;
  /** The visits that receivers were told of, and how many of them are in each room. */
  readonly #open = new Set<string>();
  readonly #counts = new Map<string, number>();
  /** Visits of before the start whose user has not come back yet, with what was remembered of the user. */
  readonly #returning: Map<string, string>;

  /**
   * @param types what receivers are told of
   * @param kept the visits that were open when the process ended: visit → what was remembered of the user
   */
  constructor(types: ReadonlySet<WebhookType>, kept: ReadonlyMap<string, string> = new Map()) {
    this.#types = types;
    this.#returning = new Map(kept);
    for (const visit of kept.keys()) this.#begin(visit);
  }

  /** Whether receivers were told that a visit began, and not that it ended. */
  has(visit: string): boolean {
    return this.#open.has(visit);
  }

  /** How many visits are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Visits of before the start whose user has not come back yet, with what was remembered of the user. */
  get returning(): ReadonlyMap<string, string> {
    return this.#returning;
  }

  /** What events say to receivers, in order. Nobody is said to come who is there, or to leave who is not. */
  read(events: readonly IdentifiedEvent[]): Told {
    const told = events.map((event) => this.#read(event));
    return { messages: told.flatMap(({ messages }) => messages), notes: told.flatMap(({ notes }) => notes) };
  }

  /** Ends visits. @param lastSeen when their users were last known to be alive, ms since the epoch @param nextId makes ids of messages */
  end(visits: ReadonlyMap<string, string>, lastSeen: number, now: number, nextId: () => string): Told {
    const [messages, notes]: [Message[], VisitNote[]] = [[], []];
    for (const [visit, snapshot] of visits) {
      this.#returning.delete(visit);
      if (!this.#open.has(visit)) continue;
      this.#end(visit);
      const user = departed(readSnapshot(snapshot), lastSeen);
      messages.push(...this.#ending(nextId(), { roomId: readVisit(visit).roomId, timestamp: now, user }));
      notes.push([visit, null]);
    }
    return { messages, notes };
  }

  /** What a receiver has to be told that was told nothing yet: who is there. [HOOK-12] */
  introduce(kept: ReadonlyMap<string, string>, now: number, nextId: () => string): readonly Message[] {
    const opened = new Set<string>();
    return [...kept].flatMap(([visit, snapshot]) => {
      const { roomId } = readVisit(visit);
      const user: User = { ...departed(readSnapshot(snapshot), now), status: "online" };
      const isFirst = !opened.has(roomId);
      opened.add(roomId);
      return this.#beginning(nextId(), { roomId, timestamp: now, user }, isFirst);
    });
  }

  #read(event: IdentifiedEvent): Told {
    const { id, type, roomId, user } = event;
    const visit = visitOf(roomId, user.id);
    switch (type) {
      case "join": {
        // [HOOK-8] one who was online when the process ended is back: receivers never heard that they left
        this.#returning.delete(visit);
        if (this.#open.has(visit)) return NOTHING;
        const messages = this.#beginning(id, event, !this.#counts.has(roomId));
        this.#begin(visit);
        return { messages, notes: [[visit, snapshotOf(user)]] };
      }
      case "leave":
        if (!this.#open.has(visit)) return NOTHING;
        this.#returning.delete(visit);
        this.#end(visit);
        return { messages: this.#ending(id, event), notes: [[visit, null]] };
      case "update": {
        const isRenamed = this.#open.has(visit) && !equal(infoOf(user), infoOf(event.previous));
        const isTold = isLobby(roomId) && this.#types.has("user.updated");
        return {
          messages: isTold ? [userMessage(id, "user.updated", event)] : [],
          notes: isRenamed ? [[visit, snapshotOf(user)]] : [],
        };
      }
    }
  }

  #beginning(id: string, event: Occurrence, isFirst: boolean): readonly Message[] {
    if (isLobby(event.roomId)) return this.#ofUser(id, "user.online", event);
    const opened = isFirst ? this.#ofRoom(id, "room.opened", event) : [];
    return [...opened, ...this.#ofUser(id, "room.entered", event)];
  }

  /** After it is counted out. */
  #ending(id: string, event: Occurrence): readonly Message[] {
    if (isLobby(event.roomId)) return this.#ofUser(id, "user.offline", event);
    const emptied = this.#counts.has(event.roomId) ? [] : this.#ofRoom(id, "room.emptied", event);
    return [...this.#ofUser(id, "room.left", event), ...emptied];
  }

  #ofUser(id: string, type: WebhookType, event: Occurrence): readonly Message[] {
    return this.#types.has(type) ? [userMessage(id, type, event)] : [];
  }

  #ofRoom(id: string, type: WebhookType, { roomId, timestamp }: Occurrence): readonly Message[] {
    return this.#types.has(type) ? [roomMessage(`${id}-${type.slice(5)}`, type, roomId, timestamp)] : [];
  }

  #begin(visit: string): void {
    this.#open.add(visit);
    const { roomId } = readVisit(visit);
    this.#counts.set(roomId, (this.#counts.get(roomId) ?? 0) + 1);
  }

  #end(visit: string): void {
    this.#open.delete(visit);
    const { roomId } = readVisit(visit);
    const count = (this.#counts.get(roomId) ?? 0) - 1;
    if (count > 0) this.#counts.set(roomId, count);
    else this.#counts.delete(roomId);
  }
}

const NOTHING: Told = { messages: [], notes: [] };

function readSnapshot(text: string): User {
  const { meta, ...info } = JSON.parse(text) as UserInfo & { readonly meta: JsonObject };
  return { ...departed(info, 0), meta, self: false };
}
