/** Finds out from other relays what they know of rooms and lobbies, for backends that ask this relay. [BUS-35] */
import type { Unsubscribe } from "../../../presence/index.ts";
import { isLobby } from "../../../wire/index.ts";
import type { Hub } from "../../core/hub.ts";
import { BEAT_MS, LOST_MS } from "../beats.ts";
import type { Inquiries } from "./inquiries.ts";
import type { Answer, Question, RoomThere } from "./words.ts";

/** What other relays have of each room, by its name. A room that none has is not in the map. */
export type FoundRooms = ReadonlyMap<string, readonly RoomThere[]>;

/** A member that a server has set. */
export interface ServerPlace {
  readonly room: string;
  /** As a room name. */
  readonly lobby: string;
  readonly session: string;
}

export interface ElsewhereSetup {
  readonly hub: Hub;
  readonly inquiries: Inquiries;
  /** Whether all is known here that other relays say of a room or lobby. */
  readonly isKnown: (name: string) => boolean;
  /** Calls back once that is so, or is not waited for any more. */
  readonly whenKnown: (name: string, run: () => void) => void;
  /** Tells all relays that the document of a room is deleted. */
  readonly tellDeleted: (room: string) => void;
  /** Tells all relays that a server takes out a member. */
  readonly tellRemoved: (place: ServerPlace) => void;
}

/**
 * How long to ask whether another relay has a member that a server has set, ms: until a relay that has died is known to be lost. Before
 * that, the member that it had looks like a user's own connection. [API-38]
 */
const MEMBER_PATIENCE_MS = LOST_MS + BEAT_MS;
/** When relays answer a question in part, the rest is asked for, in so many rounds at most. */
const MAX_ROUNDS = 100;

export class Elsewhere {
  readonly #setup: ElsewhereSetup;
  readonly #onRemoved = new Set<(place: ServerPlace) => void>();

  constructor(setup: ElsewhereSetup) {
    this.#setup = setup;
  }

  /**
   * Finds out who is in rooms by way of other relays. Rooms that are open here are not asked about, since what others say of them is
   * known. Where a relay does not answer, the result is what is known here.
   *
   * @param isBrief the caller wants no more than to count people
   */
  async find(names: readonly string[], isBrief: boolean): Promise<FoundRooms> {
    const found = new Map<string, RoomThere[]>();
    let asked = [...new Set(names)].filter((name) => isLobby(name) || !this.#setup.isKnown(name));
    for (let round = 0; asked.length > 0 && round < MAX_ROUNDS; round++) {
      const answers = await this.#ask({ type: "people", names: asked, isBrief });
      if (answers === null || answers.length === 0) break;
      const upTo = Math.min(...answers.map((answer) => answer.upTo));
      const settled = new Set(asked.slice(0, upTo));
      for (const room of answers.flatMap(({ rooms }) => rooms)) {
        if (settled.has(room.name)) found.set(room.name, [...(found.get(room.name) ?? []), room]);
      }
      if (upTo === 0) break;
      asked = asked.slice(upTo);
    }
    return found;
  }

  /** The first names of rooms, in their order, that somebody is in by way of other relays. */
  async names(list: Omit<Extract<Question, { type: "names" }>, "type">): Promise<readonly string[]> {
    const answers = (await this.#ask({ type: "names", ...list })) ?? [];
    const names = new Set(answers.flatMap((answer) => answer.names));
    return [...names].toSorted().slice(0, list.limit);
  }

  /** Opens a room or lobby here. Resolves once what other relays say of it is known, or is not waited for any more. */
  async open(name: string): Promise<Unsubscribe> {
    const { release } = this.#setup.hub.hold(name);
    await this.known(name);
    return release;
  }

  /** Resolves once what other relays have of a room that is open here is known, or is not waited for any more. */
  known(name: string): Promise<void> {
    return new Promise((resolve) => this.#setup.whenKnown(name, resolve));
  }

  /** The user of a member that a server has set by way of another relay; null: there is no such member. */
  async userSet({ room, lobby, session }: ServerPlace): Promise<string | null> {
    const question: Question = { type: "people", names: [room], isBrief: true };
    const answers = (await this.#setup.inquiries.ask(question, MEMBER_PATIENCE_MS)) ?? [];
    const people = answers.flatMap(({ rooms }) => rooms).flatMap((there) => there.people);
    const found = people.find((person) => {
      return person.isServer && person.lobby === lobby && person.report.claim.session.id === session;
    });
    return found?.report.claim.user.id ?? null;
  }

  /** Whether anybody is in a room by way of other relays, or may come back. */
  async isInUse(room: string): Promise<boolean> {
    const answers = (await this.#ask({ type: "people", names: [room], isBrief: true })) ?? [];
    return answers.some(({ rooms }) => rooms.some((there) => there.isInUse));
  }

  /** Has other relays forget what they have in memory of the document of a room that nobody is in. */
  deleted(room: string): void {
    this.#setup.tellDeleted(room);
  }

  /** Has the relay that holds a member of a server take the member out. */
  remove(place: ServerPlace): void {
    this.#setup.tellRemoved(place);
  }

  /** Another relay has a member taken out that a server has set here. */
  onRemoved(listener: (place: ServerPlace) => void): Unsubscribe {
    this.#onRemoved.add(listener);
    return () => void this.#onRemoved.delete(listener);
  }

  /** Tells those who set members. */
  removed(place: ServerPlace): void {
    for (const listener of this.#onRemoved) listener(place);
  }

  #ask(question: Question): Promise<readonly Answer[] | null> {
    return this.#setup.inquiries.ask(question);
  }
}
