/** A relay in which one rule is broken on purpose: our hub behind a `ws` server that tampers with what goes through it. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { type HubChannel, type HubOptions, type PresenceHub, createHub } from "../../src/hub/index.ts";
import { type Entry, awarenessFrame, decodeEntries, encodeEntries } from "../../src/wire/index.ts";

const ANY = { maxStateBytes: Infinity, maxEntries: Infinity };
const SYNC = 0;
const STEP_2 = 1;
const UPDATE = 2;
const AWARENESS = 1;

/** A connection, as a fault sees it. */
export interface Connection {
  readonly socket: WebSocket;
  readonly room: string;
  readonly channel: HubChannel;
}

/** All that a fault may look at. */
export interface World {
  readonly hub: PresenceHub;
  readonly connections: ReadonlySet<Connection>;
}

/** What is wrong with a relay. */
export interface Fault {
  readonly options?: HubOptions;
  /** A room that everybody has left is another room from then on. */
  readonly forgets?: boolean;
  /** Closes with these codes are not carried out. */
  readonly neverCloses?: readonly number[];
  /** What goes out in the place of a message. Default: the message. */
  outbound?(message: Uint8Array, room: string): readonly Uint8Array[];
  /** Acts on a message that came in, in the place of the hub. Returns whether it did. */
  inbound?(message: Uint8Array, from: Connection, world: World): boolean;
  /** A connection is over. */
  closed?(connection: Connection, code: number): void;
}

export function isUpdate([type, step]: Uint8Array): boolean {
  return type === SYNC && step === UPDATE;
}

export function isAnswer([type, step]: Uint8Array): boolean {
  return type === SYNC && step === STEP_2;
}

export function entriesIn(message: Uint8Array): readonly Entry[] {
  if (message[0] !== AWARENESS) return [];
  // 1, a length of one to three bytes, and the entries
  let at = 1;
  while ((message[at] ?? 0) > 127) at++;
  try {
    return decodeEntries(message.slice(at + 1), ANY);
  } catch {
    // malformed: for the hub to refuse
    return [];
  }
}

export function messageOf(entries: readonly Entry[]): Uint8Array {
  return awarenessFrame(encodeEntries(entries));
}

/** Who said an id first, and how their connection ended if it did: for faults that let others speak for it. */
export class Owners {
  readonly #owners = new Map<string, Connection>();
  readonly #ended = new Map<Connection, number>();

  /** The owner, if it is not this connection. */
  other(
    { room, ...rest }: Connection,
    id: number,
  ): { readonly owner: Connection; readonly code: number | null } | null {
    const from = { room, ...rest };
    const owner = this.#owners.get(`${room} ${id}`);
    if (owner === undefined || owner.socket === from.socket) {
      this.#owners.set(`${room} ${id}`, owner ?? from);
      return null;
    }
    return { owner, code: this.#ended.get(owner) ?? null };
  }

  closed(connection: Connection, code: number): void {
    for (const owner of this.#owners.values()) if (owner.socket === connection.socket) this.#ended.set(owner, code);
  }
}

/** Listens on a free port of loopback until the test ends. @returns where, for `copresence verify` */
export async function faultyRelay(fault: Fault): Promise<string> {
  const hub = createHub({ tick: 0, ...fault.options });
  const connections = new Set<Connection>();
  /** How often each room was left by everybody. */
  const generations = new Map<string, number>();
  const server = createServer();
  const sockets = new WebSocketServer({ server, maxPayload: 2 ** 24 });
  sockets.on("connection", (socket, request) => {
    const room = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname.slice(1));
    const send = (message: Uint8Array): void => {
      for (const each of fault.outbound?.(message, room) ?? [message]) socket.send(each);
    };
    const channel = hub.accept(
      {
        get bufferedAmount() {
          return socket.bufferedAmount;
        },
        send,
        ping: () => socket.ping(),
        close: (code, reason) => fault.neverCloses?.includes(code) === true || socket.close(code, reason),
        terminate: () => socket.terminate(),
      },
      { room: `${room}${generations.get(room) ?? ""}`, identity: null },
    );
    const connection: Connection = { socket, room, channel };
    connections.add(connection);
    socket.on("error", () => {});
    socket.on("message", (data: Buffer, isBinary) => {
      const isDone = isBinary && fault.inbound?.(new Uint8Array(data), connection, { hub, connections }) === true;
      if (!isDone) channel.message(data, isBinary);
    });
    socket.on("pong", () => channel.alive());
    socket.on("close", (code) => {
      connections.delete(connection);
      fault.closed?.(connection, code);
      channel.closed(code);
      if (fault.forgets !== true || [...connections].some((each) => each.room === room)) return;
      generations.set(room, (generations.get(room) ?? 0) + 1);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const { socket } of connections) socket.terminate();
    await hub.close();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
