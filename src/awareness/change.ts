/** What happens in a room, as the register tells it. */
import { type Entry as SaidEntry, PERSON } from "../wire/index.ts";
import type { Author } from "./author.ts";
import type { PresentEntry } from "./entry.ts";

/** What a frame, or a loss, brought about; to be acted on in order. */
export type Change =
  /** A client id is here that was not, with its first state. */
  | { readonly type: "entered"; readonly entry: PresentEntry }
  /** A client id has another owner, or none: its connection was lost. */
  | { readonly type: "claimed"; readonly entry: PresentEntry }
  /** A state says something else in these fields. */
  | { readonly type: "changed"; readonly entry: PresentEntry; readonly fields: ReadonlySet<string> }
  /** The state says something else of its user or session. */
  | { readonly type: "renamed"; readonly entry: PresentEntry }
  | { readonly type: "left"; readonly entry: PresentEntry }
  /** A newer connection speaks for a session of this author, who had this id; `elsewhere`: to another relay. */
  | {
      readonly type: "superseded";
      readonly author: Author;
      readonly id: number;
      readonly session: string;
      readonly elsewhere: boolean;
    }
  /** A stock client is back while its old connection still seems open: it has dropped all that it saw. */
  | { readonly type: "returned"; readonly author: Author }
  /** The client id that this author means to be is somebody else's. */
  | { readonly type: "taken"; readonly author: Author; readonly id: number };

/** Whether fields that changed are more than those that say who a state is from: its cursor, say. */
export function isMove(fields: ReadonlySet<string>): boolean {
  for (const name of fields) if (!PERSON.has(name)) return true;
  return false;
}

/** A moment: in ms that only go forward, and as a date (ms since the epoch) that is never before an earlier moment's. */
export interface Moment {
  readonly now: number;
  readonly date: number;
}

/** An awareness message, without the entries that cannot be news. */
export interface Reading {
  readonly entries: readonly SaidEntry[];
  /** It also holds states of others: its author says back what it hears. */
  readonly echoes: boolean;
}
