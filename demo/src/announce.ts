/** Who came and who went, in one sentence for those who hear the page instead of seeing it. */
import type { PresenceEvent } from "copresence";
import { nameOf } from "./presence.ts";

/** What happened to somebody since the last sentence: 1 for coming, -1 for going, 0 for neither or for both. */
interface Turn {
  readonly name: string;
  readonly lobby: number;
  readonly document: number;
}

/** By user. A map is never changed. */
export type Turns = ReadonlyMap<string, Turn>;

/** More people than this are counted, not named. */
const NAMED = 3;
const list = new Intl.ListFormat("en", { style: "long", type: "conjunction" });

/**
 * Adds what an event says.
 *
 * @param room the document that is open; events of other rooms are the lobby's
 */
export function withEvent(turns: Turns, event: PresenceEvent<unknown>, room: string): Turns {
  if (event.type === "update" || event.user.self) return turns;
  const { lobby, document } = turns.get(event.userId) ?? { lobby: 0, document: 0 };
  const step = event.type === "join" ? 1 : -1;
  const name = nameOf(event.user);
  const turn =
    event.roomId === room ? { name, lobby, document: document + step } : { name, lobby: lobby + step, document };
  return new Map([...turns, [event.userId, turn]]);
}

function clause(turns: readonly Turn[], one: string, many: string): string {
  if (turns.length === 0) return "";
  if (turns.length > NAMED) return `${turns.length} people ${many}.`;
  return `${list.format(turns.map(({ name }) => name))} ${turns.length === 1 ? one : many}.`;
}

/** Of each user the one thing that matters most; empty where nothing is to be said. */
export function sentenceOf(turns: Turns): string {
  const opened: Turn[] = [];
  const online: Turn[] = [];
  const offline: Turn[] = [];
  const closed: Turn[] = [];
  for (const turn of turns.values()) {
    if (turn.document > 0) opened.push(turn);
    else if (turn.lobby > 0) online.push(turn);
    else if (turn.lobby < 0) offline.push(turn);
    else if (turn.document < 0) closed.push(turn);
  }
  const clauses = [
    clause(opened, "opened this document", "opened this document"),
    clause(online, "is online", "are online"),
    clause(closed, "left this document", "left this document"),
    clause(offline, "went offline", "went offline"),
  ];
  return clauses.filter(Boolean).join(" ");
}
