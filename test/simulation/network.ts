/**
 * A simulated network of WebSockets between pages and a relay: ordered links with latency that can be reset, black-holed,
 * and outlived by one of their ends.
 */
import type { WebSocketConstructor } from "../../src/client/index.ts";
import type { ServerSocket, SocketEvents } from "../../src/relay/ports/socket.ts";
import type { Packet } from "../../src/relay/ports/packet.ts";
import type { Actor, VirtualClock } from "./clock.ts";
import type { Random } from "./random.ts";

/** A relay, as the network knows it. */
export interface Server {
  /** In its name its code runs. */
  readonly actor: Actor;
  /** What it does with a socket. */
  readonly listener: (socket: ServerSocket, target: string) => void;
}

type ReadyState = 0 | 1 | 2 | 3;

/** After how long a system repeats an attempt to connect that nobody answers; then after twice as long, and so on. */
const KNOCK_MS = 1_000;
/** What it waits for last of all, before it gives the attempt up. */
const LAST_KNOCK_MS = 32_000;
/** How long an end waits for the answer to its close. */
const CLOSE_TIMEOUT_MS = 1_000;

export class Network {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** Says which relay a page reaches now; null: there is none. */
  serverOf: (page: Actor) => Server | null = () => null;
  /** Told of all that reaches a page. */
  onArrival: (link: Link, data: Uint8Array) => void = () => {};
  readonly links: Set<Link> = new Set();
  /** Pages whose network drops everything, both ways, without a word. */
  readonly blackHoled: Set<Actor> = new Set();

  constructor(clock: VirtualClock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  linksOf(actor: Actor): Link[] {
    return [...this.links].filter((link) => link.actor === actor);
  }

  /** The class that a page of this actor dials with. */
  webSocketOf(actor: Actor): WebSocketConstructor {
    // oxlint-disable-next-line typescript/no-this-alias -- the class is made for this network
    const network = this;
    return class extends SimWebSocket {
      constructor(url: string, protocols: string | string[] = []) {
        super(network, actor, url, [protocols].flat());
      }
    };
  }

  /** A relay is gone: its sockets with it, as when a process is killed, and those that are about to come to it. */
  killRelay({ actor }: Server): void {
    for (const link of this.links) {
      const at = link.server?.actor ?? this.serverOf(link.actor)?.actor;
      if (at === undefined || at === actor) link.reset("server");
    }
  }
}

/** One connection and its two ends. */
export class Link {
  readonly network: Network;
  readonly actor: Actor;
  readonly client: SimWebSocket;
  server: SimServerSocket | null = null;
  /** Nothing arrives any more, either way, and neither end is told. */
  dead = false;
  readonly #latencyMs: number;
  readonly #arrival = { up: 0, down: 0 };
  #ended = 0;

  constructor(network: Network, actor: Actor, client: SimWebSocket) {
    this.network = network;
    this.actor = actor;
    this.client = client;
    this.#latencyMs = network.random.int(1, 80);
    network.links.add(this);
  }

  /** Delivers something to the other end, in order, unless the way is cut before it arrives. */
  deliver(way: "up" | "down", arrive: () => void): void {
    const { clock, random, blackHoled } = this.network;
    if (this.dead || blackHoled.has(this.actor)) return;
    const at = Math.max(this.#arrival[way], clock.now + this.#latencyMs + random.int(0, 20));
    this.#arrival[way] = at;
    clock.after(at - clock.now, () => {
      if (!this.dead && !blackHoled.has(this.actor)) arrive();
    });
  }

  /** Ends the connection for both ends, at different times. `by`: the end that vanished and hears nothing more. */
  reset(by: "server" | "client" | "network"): void {
    if (this.dead) return;
    this.dead = true;
    // out of reach, an end hears of it when it tries again (`surface`), or by its own time-outs
    if (this.network.blackHoled.has(this.actor)) return;
    this.network.links.delete(this);
    if (by !== "client") this.network.clock.after(this.#latencyMs, () => this.client.closed(1006, ""));
    if (by !== "server") this.network.clock.after(this.#latencyMs, () => this.server?.closed(1006));
  }

  /** The network is there again: what the link stood for is gone at both ends. */
  surface(): void {
    // an attempt knocks again
    if (this.server === null) return;
    this.dead = false;
    this.reset("network");
  }

  /** One end is gone. The other may yet have to hear of it. */
  ended(): void {
    if (++this.#ended === 2 || this.server === null) this.network.links.delete(this);
  }
}

/** The client's end: as a browser's WebSocket, as far as clients use it. */
export class SimWebSocket {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  binaryType = "blob";
  readyState: ReadyState = 0;
  protocol = "";
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly link: Link;
  readonly #network: Network;
  readonly #actor: Actor;
  /** The connection is over, whether or not the page knows. */
  #gone = false;

  /** Its network process answers pings. */
  get answers(): boolean {
    return !this.#gone && this.readyState === this.OPEN;
  }

  constructor(network: Network, actor: Actor, url: string, protocols: readonly string[]) {
    this.#network = network;
    this.#actor = actor;
    this.link = new Link(network, actor, this);
    const target = url.replace(/^\w+:\/\/[^/]*/, "");
    this.#knock(() => this.#arriveAtRelay(target, protocols), KNOCK_MS);
  }

  send(data: Uint8Array): void {
    if (this.readyState !== this.OPEN) return;
    const copy = Buffer.from(data);
    this.link.deliver("up", () => this.link.server?.receive(copy));
  }

  close(code = 1005, _reason = ""): void {
    if (this.readyState >= this.CLOSING) return;
    this.readyState = this.CLOSING;
    this.link.deliver("up", () => this.link.server?.peerClosed(code));
    this.#network.clock.after(CLOSE_TIMEOUT_MS, () => this.closed(1006, ""));
  }

  /** The page's process is gone: the operating system closes its sockets, if the network carries it. */
  vanish(): void {
    this.#gone = true;
    this.readyState = this.CLOSED;
    this.link.reset("client");
  }

  opened(protocol: string): void {
    if (this.readyState !== this.CONNECTING) return;
    this.#asPage(() => {
      if (this.readyState !== this.CONNECTING) return;
      this.readyState = this.OPEN;
      this.protocol = protocol;
      this.onopen?.({} as never);
    });
  }

  receive(data: Uint8Array): void {
    if (this.#gone) return;
    const { buffer } = new Uint8Array(data);
    this.#asPage(() => {
      if (this.readyState !== this.OPEN) return;
      this.#network.onArrival(this.link, data);
      this.onmessage?.({ data: buffer } as never);
    });
  }

  closed(code: number, reason: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.link.ended();
    // the page hears of it after all that came before, which may be long after
    this.#asPage(() => {
      this.readyState = this.CLOSED;
      this.onclose?.({ code, reason } as never);
    });
  }

  #knock(arrive: () => void, waitMs: number): void {
    this.link.deliver("up", arrive);
    this.#network.clock.after(waitMs, () => {
      if (this.readyState !== this.CONNECTING) return;
      if (waitMs < LAST_KNOCK_MS) this.#knock(arrive, 2 * waitMs);
      else this.closed(1006, "");
    });
  }

  #asPage(run: () => void): void {
    this.#network.clock.as(this.#actor, run);
  }

  #arriveAtRelay(target: string, protocols: readonly string[]): void {
    const { clock } = this.#network;
    if (this.readyState !== this.CONNECTING || this.link.server !== null) return;
    const reached = this.#network.serverOf(this.#actor);
    if (reached === null) return this.link.deliver("down", () => this.closed(1006, ""));
    const protocol = protocols[0] ?? "";
    const server = new SimServerSocket(this.link, reached.actor, clock, protocol);
    this.link.server = server;
    this.link.deliver("down", () => this.opened(protocol));
    clock.as(reached.actor, () => reached.listener(server, target));
  }
}

/** The relay's end. */
export class SimServerSocket implements ServerSocket {
  readonly bufferedAmount = 0;
  readonly bytesReceived = 0;
  readonly bytesFlushed = 0;
  readonly keepsPackets = true;
  readonly protocol: string;
  readonly actor: Actor;
  readonly #link: Link;
  readonly #clock: VirtualClock;
  #events: SocketEvents | null = null;
  #open = true;

  constructor(link: Link, actor: Actor, clock: VirtualClock, protocol: string) {
    this.#link = link;
    this.actor = actor;
    this.#clock = clock;
    this.protocol = protocol;
  }

  tell(events: SocketEvents): void {
    this.#events = events;
  }

  send({ message }: Packet, prefix: Uint8Array | null = null, onLeft?: () => void): void {
    // the network takes all at once
    onLeft?.();
    if (!this.#open) return;
    const copy = Uint8Array.from([...(prefix ?? []), ...message]);
    this.#link.deliver("down", () => this.#link.client.receive(copy));
  }

  cork(): void {}

  uncork(): void {}

  ping(): void {
    if (!this.#open) return;
    // a browser's network process answers, whatever the page is doing; a stopped process once it goes on
    this.#link.deliver("down", () => {
      const { client, actor } = this.#link;
      const answer = (): void => {
        if (client.answers) this.#link.deliver("up", () => this.#emit((events) => events.sign(0)));
      };
      if (stopped.has(actor)) this.#clock.as(actor, answer);
      else if (actor.mode !== "dead") answer();
    });
  }

  close(code = 1005, reason = ""): void {
    if (!this.#open) return;
    this.#link.deliver("down", () => this.#link.client.closed(code, reason));
    this.closed(code);
  }

  pause(): void {}

  resume(): void {}

  terminate(): void {
    this.#link.reset("server");
    this.closed(1006);
  }

  receive(data: Buffer): void {
    this.#emit((events) => events.message(data, true));
  }

  peerClosed(code: number): void {
    this.#link.deliver("down", () => this.#link.client.closed(code, ""));
    this.closed(code);
  }

  closed(code: number): void {
    if (!this.#open) return;
    this.#emit((events) => events.ended(code));
    this.#open = false;
    this.#link.ended();
  }

  #emit(tell: (events: SocketEvents) => void): void {
    const events = this.#events;
    if (this.#open && events !== null) this.#clock.as(this.actor, () => tell(events));
  }
}

/** Pages whose whole process is stopped: not even pongs. */
export const stopped: Set<Actor> = new Set();
