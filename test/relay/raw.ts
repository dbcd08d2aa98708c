/** Connections that say what no client would, and write down what they are sent. */
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { Awareness, applyAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";
import {
  type Control,
  type Entry,
  EMPTY_STATE_VECTOR,
  type Frame,
  PATCH_SUBPROTOCOL,
  StatesReader,
  awarenessFrame,
  decodeEntries,
  decodeFrame,
  encodeEntries,
  syncStep1Frame,
} from "../../src/wire/index.ts";
import { until } from "../support.ts";

/** What a client says of an id: the id, the clock, the state. */
export type Said = readonly [id: number, clock: number, state: unknown];

export function statesFrame(...said: readonly Said[]): Uint8Array {
  const entries = said.map(([id, clock, state]) => {
    return { id, clock, state: new TextEncoder().encode(JSON.stringify(state)) };
  });
  return awarenessFrame(encodeEntries(entries));
}

/** The state of a session of ours. */
export function stateOf(userId: string, session: string, ours: Record<string, unknown> = {}, others: object = {}) {
  const copresence = { session, status: "online", device: "desktop", since: 1, meta: {}, ...ours };
  return { ...others, user: { id: userId, name: userId }, copresence };
}

export interface Close {
  readonly code: number;
  readonly reason: string;
}

export class RawPeer {
  readonly socket: WebSocket;
  /** Each message, as it came. */
  readonly received: Uint8Array[] = [];
  readonly closed: Promise<Close>;
  /** How it was closed, if it was. */
  close: Close | undefined;
  /** The awareness that a stock client would have now. */
  readonly awareness: Awareness;
  readonly doc: Y.Doc = new Y.Doc();
  readonly #reader = new StatesReader();

  constructor(url: string, path: string, protocols: string[]) {
    this.awareness = new Awareness(this.doc);
    this.awareness.setLocalState(null);
    this.socket = new WebSocket(`${url}/${path}`, protocols);
    this.socket.on("message", (data: Buffer) => this.#receive(new Uint8Array(data)));
    this.closed = new Promise((resolve) => {
      this.socket.once("close", (code, reason) => {
        this.close = { code, reason: reason.toString() };
        resolve(this.close);
      });
    });
    onTestFinished(() => {
      this.awareness.destroy();
      this.doc.destroy();
      this.socket.terminate();
    });
  }

  get frames(): Frame[] {
    return this.received.map(decodeFrame);
  }

  readonly #updates: (() => Said[])[] = [];

  /** The entries of each message of states; one that is told patches is told no clocks: there they are 0. */
  get updates(): Said[][] {
    return this.#updates.map((read) => read());
  }

  get controls(): Control[] {
    return this.frames.flatMap((frame) => (frame.type === "control" ? [frame.control] : []));
  }

  /** Client id → state. */
  get states(): ReadonlyMap<number, unknown> {
    return this.awareness.states;
  }

  send(frame: Uint8Array): void {
    this.socket.send(frame);
  }

  say(...said: readonly Said[]): void {
    this.send(statesFrame(...said));
  }

  /** Comes back when all that it said so far has been acted on, and what it was sent by then is here. */
  async settle(): Promise<void> {
    const answers = (): number => this.frames.filter((frame) => frame.type === "syncStep2").length;
    const before = answers();
    this.send(syncStep1Frame(EMPTY_STATE_VECTOR));
    await until("an answer to step 1", () => answers() > before);
  }

  #applyStates(payload: Uint8Array): void {
    const said = this.#reader.read(payload).map(({ id, fields }): Said => {
      const state = fields && Object.fromEntries([...fields].map(([name, bytes]) => [name, jsonIn(bytes)]));
      if (state === null) this.awareness.states.delete(id);
      else this.awareness.states.set(id, state);
      return [id, 0, state];
    });
    this.#updates.push(() => said);
  }

  #receive(message: Uint8Array): void {
    this.received.push(message);
    const frame = decodeFrame(message);
    if (frame.type === "awareness") {
      this.#updates.push(() => saidIn(frame.payload));
      applyAwarenessUpdate(this.awareness, frame.payload, "relay");
    }
    if (frame.type === "states") this.#applyStates(frame.payload);
    if (frame.type === "syncStep2" || frame.type === "update") Y.applyUpdate(this.doc, frame.update);
  }
}

/** A bare connection to a room, one that trusts the relay if so said; ended with the test. */
export async function rawPeer(
  url: string,
  path: string,
  options: { readonly trusts?: boolean } = {},
): Promise<RawPeer> {
  const peer = new RawPeer(url, path, options.trusts === true ? [PATCH_SUBPROTOCOL] : []);
  await new Promise<void>((resolve, reject) => {
    peer.socket.once("open", resolve);
    peer.socket.once("error", reject);
  });
  return peer;
}

function jsonIn(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

function valueIn({ state }: Entry): unknown {
  return state === null ? null : jsonIn(state);
}

function saidIn(payload: Uint8Array): Said[] {
  const entries = decodeEntries(payload, { maxStateBytes: Infinity, maxEntries: Infinity });
  return entries.map((entry): Said => [entry.id, entry.clock, valueIn(entry)]);
}

/** Whether a text stands anywhere in what was sent. */
export function mentions(messages: readonly Uint8Array[], text: string): boolean {
  const needle = Buffer.from(text);
  return messages.some((message) => Buffer.from(message).includes(needle));
}
