/**
 * What a relay asks all others when a backend asks it about rooms that it may know nothing of, and what they answer. JSON, on the
 * inboxes of relays. [BUS-35]
 */
import type { Report } from "../../../lobby/index.ts";
import { type ManualChoice, isRecord, readManual, readState } from "../../../presence/index.ts";
import { FrameError, json } from "../../../wire/index.ts";

export type Question =
  /** Who is in these rooms. Of lobbies: whether anybody counts in them. */
  | {
      readonly type: "people";
      readonly names: readonly string[];
      /** Counts are all that is wanted: no metadata, and of users no more than who they are. */
      readonly isBrief: boolean;
    }
  /** The names of rooms that somebody is in, in their order. */
  | {
      readonly type: "names";
      readonly prefix: string;
      /** Only those behind this name. */
      readonly after: string;
      readonly limit: number;
      /** Only those that somebody is in who counts in this lobby; null: in any lobby. */
      readonly lobby: string | null;
    }
  /** What these users chose. Asked and answered in messages of their own kinds, which older relays ignore. [BUS-40] */
  | { readonly type: "choices"; readonly lobby: string; readonly users: readonly string[] };

/** Somebody in a room, by a connection of another relay, or set there by a server. */
export interface PersonThere {
  readonly lobby: string;
  /** A server of the application has set them. */
  readonly isServer: boolean;
  /** When the status of their session last changed there, ms since the epoch. */
  readonly since: number;
  readonly report: Report;
}

/** What one other relay has of a room. */
export interface RoomThere {
  readonly name: string;
  readonly hasDocument: boolean;
  /** Somebody is there, seen or not, or may come back. */
  readonly isInUse: boolean;
  readonly people: readonly PersonThere[];
}

export interface Answer {
  /** How many of the names that were asked about it speaks of: more would be too long. */
  readonly upTo: number;
  readonly rooms: readonly RoomThere[];
  readonly names: readonly string[];
  /** Of users who were asked about, those of whom a choice of status is known there. */
  readonly choices: readonly UserChoice[];
  /** To how many connections there something was done. */
  readonly connections: number;
}

export type UserChoice = readonly [userId: string, choice: ManualChoice];

/** A room as it is written: people as what they say of themselves. */
export interface WrittenRoom {
  readonly name: string;
  readonly hasDocument: boolean;
  readonly isInUse: boolean;
  readonly people: readonly WrittenPerson[];
}

export interface WrittenPerson {
  readonly clientId: number;
  readonly lobby: string;
  readonly isServer: boolean;
  readonly connected: boolean;
  readonly silent: boolean;
  readonly since: number;
  /** The fields of the awareness state that say who it is. */
  readonly state: unknown;
}

/** Levels of nesting: a state may have 64, and lies some levels deep in an answer. */
const MAX_DEPTH = 80;

export function writeWords(id: number, said: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ id, ...said }));
}

/** Throws `FrameError`. */
export function readQuestion(body: Uint8Array): { readonly id: number; readonly question: Question } {
  const said = recordIn(body);
  const { id, type, names, isBrief, prefix, after, limit, lobby, users } = said;
  if (typeof id !== "number") throw unreadable();
  if (type === "choices" && typeof lobby === "string" && areTexts(users))
    return { id, question: { type, lobby, users } };
  if (type === "people" && areTexts(names)) return { id, question: { type, names, isBrief: isBrief === true } };
  const isList =
    type === "names" && typeof prefix === "string" && typeof after === "string" && typeof limit === "number";
  if (!isList || !(typeof lobby === "string" || lobby === null)) throw unreadable();
  return { id, question: { type, prefix, after, limit, lobby } };
}

/** Throws `FrameError`. */
export function readAnswer(body: Uint8Array): { readonly id: number; readonly answer: Answer } {
  const { id, upTo, rooms, names, choices = [], connections = 0 } = recordIn(body);
  if (typeof id !== "number" || typeof upTo !== "number" || !isCount(connections)) throw unreadable();
  if (!Array.isArray(rooms) || !areTexts(names) || !Array.isArray(choices)) throw unreadable();
  return { id, answer: { upTo, rooms: rooms.map(readRoom), names, choices: choices.map(readUserChoice), connections } };
}

function readRoom(value: unknown): RoomThere {
  if (!isRecord(value)) throw unreadable();
  const { name, hasDocument, isInUse, people } = value;
  if (typeof name !== "string" || !Array.isArray(people)) throw unreadable();
  const read = people.map((person) => readPerson(name, person));
  return { name, hasDocument: hasDocument === true, isInUse: isInUse === true, people: read };
}

function readUserChoice(value: unknown): UserChoice {
  const [userId, said] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const choice = readManual(said);
  if (typeof userId !== "string" || choice === null) throw unreadable();
  return [userId, choice];
}

function readPerson(room: string, value: unknown): PersonThere {
  if (!isRecord(value)) throw unreadable();
  const { clientId, lobby, isServer, connected, silent, since, state } = value;
  const claim = typeof clientId === "number" ? readState(clientId, state, room) : null;
  if (claim === null || typeof lobby !== "string" || typeof since !== "number") throw unreadable();
  const report = { room, claim, connected: connected === true, silent: silent === true, bytes: 0 };
  return { lobby, isServer: isServer === true, since, report };
}

function recordIn(body: Uint8Array): Readonly<Record<string, unknown>> {
  const value = json(new TextDecoder().decode(body), MAX_DEPTH);
  if (!isRecord(value)) throw unreadable();
  return value;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function unreadable(): FrameError {
  return new FrameError("a question between relays, or its answer, that cannot be read");
}
