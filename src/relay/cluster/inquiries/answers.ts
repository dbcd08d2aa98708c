/** The answers of this relay to questions of others. It tells of its own people alone, since each relay answers for itself. [BUS-35] */
import type { PresentEntry } from "../../../awareness/index.ts";
import { isRecord } from "../../../presence/index.ts";
import { PERSON, isLobby, valuesOf } from "../../../wire/index.ts";
import { reportOf } from "../../core/people.ts";
import type { Hub } from "../../core/hub.ts";
import type { Room } from "../../core/room.ts";
import type { Question, UserChoice, WrittenPerson, WrittenRoom } from "./words.ts";

/** An answer that is longer speaks of fewer rooms, and is asked for the rest, characters: a bus drops what is too long for it. */
const MAX_ANSWER = 256 * 2 ** 10;

export interface WrittenAnswer {
  readonly upTo: number;
  readonly rooms: readonly WrittenRoom[];
  readonly names: readonly string[];
  readonly choices: readonly UserChoice[];
  readonly connections: number;
}

export const NO_ANSWER: WrittenAnswer = { upTo: 0, rooms: [], names: [], choices: [], connections: 0 };

export function answerTo(hub: Hub, question: Question): WrittenAnswer {
  switch (question.type) {
    case "people":
      return people(hub, question.names, question.isBrief);
    case "names": {
      const { prefix, after, limit, lobby } = question;
      const names = [...hub.rooms.values()]
        .filter(({ name }) => name.startsWith(prefix) && name > after)
        .filter((room) => isAnybodyIn(room, lobby))
        .map(({ name }) => name);
      return { ...NO_ANSWER, names: names.toSorted().slice(0, limit) };
    }
    case "choices": {
      const lobby = hub.lobbies.get(question.lobby);
      const choices = question.users.flatMap((userId): UserChoice[] => {
        const choice = lobby?.choiceOf(userId) ?? null;
        return choice === null ? [] : [[userId, choice]];
      });
      return { ...NO_ANSWER, choices };
    }
  }
}

function people(hub: Hub, names: readonly string[], isBrief: boolean): WrittenAnswer {
  const rooms: WrittenRoom[] = [];
  let [upTo, length] = [0, 0];
  for (const name of names) {
    const room = isLobby(name) ? lobbyOf(hub, name) : roomOf(hub, name, isBrief);
    length += room === null ? 0 : JSON.stringify(room).length;
    // a room that is too long by itself goes all the same
    if (length > MAX_ANSWER && rooms.length > 0) break;
    upTo++;
    if (room !== null) rooms.push(room);
  }
  return { ...NO_ANSWER, upTo, rooms };
}

/** Of a lobby it is enough to say that somebody counts in it here: the people are in its shard. */
function lobbyOf(hub: Hub, name: string): WrittenRoom | null {
  const lobby = hub.lobbies.get(name);
  return lobby === undefined || lobby.empty ? null : { name, hasDocument: false, isInUse: true, people: [] };
}

function roomOf(hub: Hub, name: string, isBrief: boolean): WrittenRoom | null {
  const room = hub.rooms.get(name);
  const hasDocument = room === undefined ? hub.documents.memory.kept(name) !== undefined : room.document.hasContent;
  if (room === undefined) return hasDocument ? { name, hasDocument, isInUse: false, people: [] } : null;
  const own = [...ownOf(room)].map((entry) => write(entry, room.people.sinceOf(entry), isBrief));
  return { name, hasDocument, isInUse: !room.empty, people: own };
}

/** The entries of this relay's own clients that may be seen. */
function* ownOf({ register }: Room): Iterable<PresentEntry> {
  for (const entry of register.present()) if (entry.visible && !entry.isRemote) yield entry;
}

/** Whether anybody of a lobby may be seen in a room; of any lobby: whether anybody is there at all. */
function isAnybodyIn(room: Room, lobby: string | null): boolean {
  for (const entry of ownOf(room)) if (lobby === null || entry.lobby === lobby) return true;
  return lobby === null && !room.empty;
}

function write(entry: PresentEntry, since: number, isBrief: boolean): WrittenPerson {
  const { connected, silent } = reportOf(entry);
  const state = valuesOf(entry.publishedState.fields, ...PERSON);
  return {
    clientId: entry.id,
    lobby: entry.lobby,
    isServer: entry.owner?.access.isServer === true,
    connected,
    silent,
    since,
    state: isBrief ? shortened(state) : state,
  };
}

/** The state without what is not needed to count people. */
function shortened({ user, copresence }: Record<string, unknown>): object {
  const id = isRecord(user) ? user["id"] : undefined;
  const { meta: _, ...session } = isRecord(copresence) ? copresence : {};
  return { ...(id !== undefined && { user: { id } }), ...(copresence !== undefined && { copresence: session }) };
}
