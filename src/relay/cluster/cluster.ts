/**
 * Joins this relay to others over a bus: in each room that people of both are in, each relay is a member of the other's.
 *
 * This is the seam, proven in memory: it counts on a bus that loses nothing.
 */
import type { Unsubscribe } from "../../presence/index.ts";
import { FrameError, decodeFrame, isLobby } from "../../wire/index.ts";
import type { Hub } from "../core/hub.ts";
import type { Room } from "../core/room.ts";
import type { Bus } from "../ports/bus.ts";
import { Publisher, RemoteRelay } from "./members.ts";

/**
 * What a message is: a frame of the room; a question for all that is known; a farewell, since nobody is in the room any more;
 * or a farewell of a relay that stops, whose people may come back elsewhere.
 */
const FRAME = 0;
const ASK = 1;
const BYE = 2;
const STOP = 3;

/** A room of this relay, as it is joined to the others. */
interface Joined {
  readonly room: Room;
  readonly unsubscribe: Unsubscribe;
  publisher: Publisher | null;
  /** Those that have people in it, by their ids. */
  readonly others: Map<string, RemoteRelay>;
}

export class Cluster {
  readonly #hub: Hub;
  readonly #bus: Bus;
  readonly #onError: (error: unknown) => void;
  readonly #joined = new Map<string, Joined>();

  constructor(hub: Hub, bus: Bus, onError: (error: unknown) => void) {
    this.#hub = hub;
    this.#bus = bus;
    this.#onError = onError;
  }

  /** A room has opened here. */
  opened(room: Room): void {
    const topic = topicOf(room.name);
    const unsubscribe = this.#bus.subscribe(topic, (bytes) => this.#hear(room.name, bytes));
    const joined: Joined = { room, unsubscribe, publisher: null, others: new Map() };
    this.#joined.set(room.name, joined);
    this.#publish(room.name, ASK);
    this.#tellAnew(joined);
  }

  /** A room has closed here. */
  closed(room: Room): void {
    this.#leave(room.name, BYE);
  }

  /** This relay stops. */
  close(): void {
    for (const name of this.#joined.keys()) this.#leave(name, STOP);
  }

  /** Another relay is lost: its people are as if their connections had been lost. */
  lost(relay: string): void {
    for (const [name, { others }] of this.#joined) this.#part(name, others, relay, 1006);
  }

  #leave(name: string, farewell: typeof BYE | typeof STOP): void {
    this.#joined.get(name)?.unsubscribe();
    if (this.#joined.delete(name)) this.#publish(name, farewell);
  }

  #hear(name: string, bytes: Uint8Array): void {
    const joined = this.#joined.get(name);
    const { relay, kind, body } = read(bytes);
    if (joined === undefined || relay === this.#hub.shard) return;
    try {
      if (kind === BYE) return this.#part(name, joined.others, relay, 1000);
      if (kind === STOP) return this.#part(name, joined.others, relay, 1006);
      if (kind === ASK) return this.#tellAnew(joined);
      if (kind === FRAME) this.#hub.receive(this.#other(joined, relay), decodeFrame(body), this.#hub.clock.now());
      // other kinds are of newer versions
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#onError(new Error(`a message of the relay ${relay} was not taken`, { cause: error }));
    }
  }

  /** Joins the room with a new publisher, so that it is told everything from the beginning. */
  #tellAnew(joined: Joined): void {
    const { room, publisher } = joined;
    const now = this.#hub.clock.now();
    if (publisher !== null) this.#hub.leave(publisher, 1000, now);
    const next = new Publisher(this.#hub.shard, lobbyOf(room), room, now, (frame) =>
      this.#publish(room.name, FRAME, frame),
    );
    joined.publisher = next;
    this.#hub.join(next, room.name);
    this.#hub.receive(next, Publisher.question, now);
  }

  #other({ room, others }: Joined, relay: string): RemoteRelay {
    const now = this.#hub.clock.now();
    let other = others.get(relay);
    if (other === undefined) {
      other = new RemoteRelay(relay, lobbyOf(room), now);
      others.set(relay, other);
      this.#hub.join(other, room.name);
    }
    other.lastSeen = now;
    return other;
  }

  #part(name: string, others: Map<string, RemoteRelay>, relay: string, code: number): void {
    const other = others.get(relay);
    if (other === undefined || !this.#joined.has(name)) return;
    others.delete(relay);
    this.#hub.leave(other, code, this.#hub.clock.now());
  }

  #publish(name: string, kind: number, body: Uint8Array = new Uint8Array()): void {
    this.#bus.publish(topicOf(name), write(this.#hub.shard, kind, body));
  }
}

function topicOf(room: string): string {
  return `cp1:${isLobby(room) ? "l" : "r"}:${room}`;
}

/** People of another relay count in the lobby of the room itself, or the default one: tenants on several relays are still to come. */
function lobbyOf({ name }: Room): string {
  return isLobby(name) ? name : "@lobby";
}

function write(relay: string, kind: number, body: Uint8Array): Uint8Array {
  const id = new TextEncoder().encode(relay);
  const bytes = new Uint8Array(2 + id.length + body.length);
  bytes[0] = kind;
  bytes[1] = id.length;
  bytes.set(id, 2);
  bytes.set(body, 2 + id.length);
  return bytes;
}

function read(bytes: Uint8Array): { readonly relay: string; readonly kind: number; readonly body: Uint8Array } {
  const [kind = -1, length = 0] = bytes;
  return { relay: new TextDecoder().decode(bytes.subarray(2, 2 + length)), kind, body: bytes.slice(2 + length) };
}
