/** What a subcommand of `copresence store` works with. */
import type { DocumentStore, StoredDocument } from "../../relay/ports/stores/document-store.ts";
import { checkRoomName, isLobby, isReserved } from "../../wire/index.ts";
import type { Streams } from "./streams.ts";
import { UsageError, usage } from "../usage.ts";

export interface Job {
  readonly store: DocumentStore;
  /** The address of the store, as it may be shown. */
  readonly address: string;
  readonly streams: Streams;
  /** Writes a line to standard output. */
  readonly say: (line: string) => void;
  /** Writes a line to standard error: what is wrong, or what was done. */
  readonly tell: (line: string) => void;
}

/** What a subcommand does once its arguments are read and the store is open. Resolves with the exit code. */
export type Task = (job: Job) => Promise<number>;

/** All went well, or something did not: exit codes. */
export const DONE = 0;
export const FAILED = 1;

/** The only room of the arguments, and the file that may follow. Throws a `UsageError`. */
export function roomAndFile(
  [room, file, more]: readonly string[],
  what: string,
): { readonly room: string; readonly file: string | undefined } {
  if (room === undefined) throw new UsageError(`store ${what} needs the name of a room`);
  if (more !== undefined) throw new UsageError(`store ${what} takes a room and at most one file, not "${more}" too`);
  return { room: checkedRoom(room), file };
}

/** A name that the document of a room can have. Throws a `UsageError`. */
export function checkedRoom(room: string): string {
  usage(() => checkRoomName(room));
  if (isLobby(room) || isReserved(room)) {
    throw new UsageError(`${shown(room)} has no stored document: the names that start with @ are lobbies`);
  }
  return room;
}

/** The rooms that are named, or all of the store. */
export function roomsOf(named: readonly string[], { store, address }: Job): AsyncIterable<string> | readonly string[] {
  if (named.length > 0) return named;
  if (store.list === undefined) throw new Error(`the store ${address} cannot list its rooms: name them`);
  return store.list();
}

export function load(store: DocumentStore, room: string): Promise<StoredDocument | null> {
  return store.load(room, new AbortController().signal);
}

/** A name as a terminal may show it: one line, without control characters. */
export function shown(room: string): string {
  return room.replaceAll(/\p{Cc}/gu, encodeURIComponent);
}
