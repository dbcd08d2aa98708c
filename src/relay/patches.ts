/**
 * What clients that take patches have been told of a room's states. All of them have been told the same, so one message
 * is for all.
 */
import { type Fields, NO_STATES_FRAME, encodeStates, isPatched } from "../wire/index.ts";
import type { News } from "./outgoing.ts";
import { Packet } from "./packet.ts";

interface ToldState {
  /** The short name that it goes by. */
  readonly name: number;
  /** As all have it; null where they do not. */
  fields: Fields | null;
  /** Some may have it, though not all. */
  isHeardOf: boolean;
}

export class PatchedStates {
  readonly #told = new Map<number, ToldState>();
  #names = 0;

  /** What all are told next; null if it is nothing new to them. */
  changes(news: readonly News[]): Packet | null {
    const frame = encodeStates((writer) => {
      for (const { id, state } of news) {
        const told = this.#toldOf(id);
        if (state === null) {
          if (told.isHeardOf) writer.gone(told.name);
          told.fields = null;
        } else if (told.fields === null) told.fields = writer.whole(told.name, id, state.fields);
        else if (isPatched(told.fields, state.fields)) {
          told.fields = writer.changed(told.name, told.fields, state.fields);
        }
        told.isHeardOf = state !== null;
      }
    });
    return frame === null ? null : new Packet(frame);
  }

  /** What a newcomer is told: all that there is. */
  snapshot(news: readonly News[]): Packet {
    const packet = this.whole(news);
    const known = new Set(news.map(({ id }) => id));
    // what is about to be gone and is not may yet come back: then it is news to this one
    for (const [id, told] of this.#told) if (!known.has(id)) told.fields = null;
    return packet;
  }

  /** What one is told of these, whatever it was told before: all as the others have it, or will with the next changes. */
  whole(news: readonly News[]): Packet {
    const frame = encodeStates((writer) => {
      for (const { id, state } of news) {
        const told = this.#toldOf(id);
        if (state === null) {
          writer.gone(told.name);
          continue;
        }
        told.isHeardOf = true;
        writer.whole(told.name, id, told.fields ?? state.fields);
      }
    });
    return new Packet(frame ?? NO_STATES_FRAME);
  }

  forget(id: number): void {
    this.#told.delete(id);
  }

  /** Nobody is left who was told anything. */
  clear(): void {
    this.#told.clear();
  }

  #toldOf(id: number): ToldState {
    let told = this.#told.get(id);
    if (told === undefined) {
      told = { name: this.#names++, fields: null, isHeardOf: false };
      this.#told.set(id, told);
    }
    return told;
  }
}
