/**
 * Messages between relays, byte by byte as PROTOCOL.md has them. A message of a kind that is not known is of a newer version,
 * and is ignored. [BUS-2]
 */
import * as encoding from "lib0/encoding";
import { FrameError, isLobby, readRest, readText, readUint, reader } from "../../wire/index.ts";

const VERSION = 1;

/** In the order of their numbers on the wire. */
export const KINDS = [
  "beat",
  "ask",
  "snapshot",
  "states",
  "tail",
  "bye",
  "renew",
  "raise",
  "doc",
  "sync1",
  "sync2",
  "choice",
  "shard",
  "shardWhole",
  "kick",
  "message",
  "who",
  "here",
  "remove",
  "forget",
  "part",
  "whoChose",
  "chose",
  "kicked",
  "held",
] as const;
export type MessageKind = (typeof KINDS)[number];

/** The first byte of a `bye`. What is no number of these is taken for `stops`. */
export const Bye = {
  /** The relay stops, and its people may come back elsewhere. */
  stops: 0,
  /** Nobody is here any more. */
  nobody: 1,
  /** As `stops`, and the store has yet to get some of what was written to the document. [BUS-13] */
  stopsUnstored: 2,
} as const;

export interface Message {
  readonly kind: MessageKind;
  /** The shard id of the relay that says it: new with each start. */
  readonly relay: string;
  /** The room or lobby that the message is about; empty: none. */
  readonly room: string;
  /** How many numbered messages the relay has sent on this topic, with this one; 0 where it is not numbered. */
  readonly seq: number;
  readonly body: Uint8Array;
}

export function encodeMessage({ kind, relay, room, seq, body }: Message): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeUint8(encoder, VERSION);
    encoding.writeUint8(encoder, KINDS.indexOf(kind));
    encoding.writeVarString(encoder, relay);
    encoding.writeVarString(encoder, room);
    encoding.writeVarUint(encoder, seq);
    encoding.writeUint8Array(encoder, body);
  });
}

/** Returns null for a message of a version or kind that is not known. Throws `FrameError`. */
export function decodeMessage(bytes: Uint8Array): Message | null {
  if (bytes[0] !== VERSION) return null;
  const kind = KINDS[bytes[1] ?? KINDS.length];
  if (kind === undefined) return null;
  // a plain view, as Redis hands over Buffers: the slice of one would not copy, and what is kept of it is written to later
  const from = reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length).slice(2));
  const [relay, room, seq] = [readText(from), readText(from), readUint(from)];
  if (relay === "") throw new FrameError("a message that names no relay");
  return { kind, relay, room, seq, body: readRest(from) };
}

/** The topics of a bus, all behind one prefix. */
export class Topics {
  readonly beat: string;
  readonly #prefix: string;

  /** @param prefix for example `cp1:` */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.beat = `${prefix}beat`;
  }

  inbox(relay: string): string {
    return `${this.#prefix}i:${relay}`;
  }

  room(name: string): string {
    return `${this.#prefix}r:${name}`;
  }

  lobby(name: string): string {
    return `${this.#prefix}l:${name}`;
  }

  /** The topic of a room, or of a lobby. */
  of(name: string): string {
    return isLobby(name) ? this.lobby(name) : this.room(name);
  }
}
