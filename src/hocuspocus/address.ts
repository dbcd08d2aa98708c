/** The messages of Hocuspocus: each begins with the name of its document, or with that and the id of a session behind a 0. */
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import type { Addressing } from "../hub/index.ts";
import { FrameError } from "../wire/index.ts";

/** Types of messages that are about presence; all others are Hocuspocus's business. */
const AWARENESS = 1;
const QUERY_AWARENESS = 3;
const SYNC = 0;
const STEP_2 = 1;
/** The answer of one who has nothing of the document. */
const EMPTY_ANSWER = Uint8Array.of(SYNC, STEP_2, 2, 0, 0);

/** How a message begins. */
export interface Head {
  /** As Hocuspocus has it: `doc`, or `doc`, a 0 and the id of a session. */
  readonly address: string;
  /** Whether the hub acts on it, and not Hocuspocus. */
  readonly isPresence: boolean;
  /** Whether it answers Hocuspocus's question for the document. */
  readonly isAnswer: boolean;
  /** Where the type begins, and with it what y-websocket's messages have. */
  readonly at: number;
}

/** Reads how a message begins; null: it is none of Hocuspocus's. */
export function readHead(message: Uint8Array): Head | null {
  try {
    const decoder = decoding.createDecoder(message);
    const address = decoding.readVarString(decoder);
    const at = decoder.pos;
    const [type, step] = message.subarray(at, at + 2);
    const isPresence = type === AWARENESS || type === QUERY_AWARENESS;
    return { address, isPresence, isAnswer: type === SYNC && step === STEP_2, at };
  } catch {
    return null;
  }
}

/** What a provider answers who has nothing of the document. */
export function answerOf(address: string): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarString(encoder, address);
    encoding.writeUint8Array(encoder, EMPTY_ANSWER);
  });
}

/** What stands before the messages of a document: the same bytes for all sockets, so that a message is put behind them once. */
const prefixes = new Map<string, Uint8Array>();
const MAX_PREFIXES = 10_000;

/** Channels of a socket of Hocuspocus: one for each of its documents. */
export class DocumentAddressing implements Addressing {
  split(message: Uint8Array): { readonly channel: string; readonly frame: Uint8Array } {
    const head = readHead(message);
    if (head === null) throw new FrameError("a message without the name of a document");
    return { channel: head.address, frame: message.subarray(head.at) };
  }

  prefixOf(address: string): Uint8Array {
    const known = prefixes.get(address);
    if (known !== undefined) return known;
    const prefix = encoding.encode((encoder) => encoding.writeVarString(encoder, address));
    // those that were asked for first are the most likely to be gone
    for (const oldest of prefixes.keys()) {
      if (prefixes.size < MAX_PREFIXES) break;
      prefixes.delete(oldest);
    }
    prefixes.set(address, prefix);
    return prefix;
  }

  /** The document goes on, since it is not the hub's: its provider is told nothing, in the form of no states. [HOC-3] */
  closed(address: string): Uint8Array {
    return encoding.encode((encoder) => {
      encoding.writeVarString(encoder, address);
      encoding.writeUint8Array(encoder, Uint8Array.of(AWARENESS, 1, 0));
    });
  }
}
