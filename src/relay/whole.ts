/** A message of whole states, as clients get them that do not take patches. */
import { type EncodedEntries, type Entry, awarenessFrame, layOut, replaceEntries } from "../wire/index.ts";
import type { News } from "./outgoing.ts";
import { Packet } from "./packet.ts";

export class WholeStates {
  readonly packet: Packet;
  readonly encoded: EncodedEntries;

  constructor(news: readonly News[]) {
    this.encoded = layOut(news.map(entryOf));
    this.packet = new Packet(awarenessFrame(this.encoded.payload));
  }

  /** The same with some replaced, by their place. */
  without(replacements: ReadonlyMap<number, News> | undefined): Packet {
    if (replacements === undefined) return this.packet;
    const entries = new Map([...replacements].map(([place, news]) => [place, entryOf(news)]));
    return new Packet(awarenessFrame(replaceEntries(this.encoded, entries)));
  }
}

function entryOf({ id, clock, state }: News): Entry {
  return { id, clock, state: state?.whole ?? null };
}
