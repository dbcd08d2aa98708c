/**
 * All links of a relay: the bounds that they share, the pings that they are sent, and the newer tokens that they bring. It stands
 * between the sockets and the hub.
 */
import type { Echoing } from "../../awareness/index.ts";
import { Close, type Frame } from "../../wire/index.ts";
import { type Denial, isDenial, sameAccess } from "../access/grants.ts";
import { type Renew, Renewal } from "../access/renewal.ts";
import type { Hub } from "../core/hub.ts";
import type { Tariff } from "../flow/meter.ts";
import { ProcessorTime } from "../flow/processor.ts";
import { Turns } from "../flow/turns.ts";
import { UnfinishedData } from "../flow/unfinished.ts";
import { UnsentData } from "../flow/unsent.ts";
import { TimeQuota } from "../flow/work.ts";
import type { RoomAccess } from "../ports/access.ts";
import { type Clock, stallOf } from "../ports/clock.ts";
import { control } from "../ports/packet.ts";
import type { Probe } from "../ports/probe.ts";
import type { ServerSocket } from "../ports/socket.ts";
import type { RelaySettings } from "../ports/settings.ts";
import type { Channel } from "./channel.ts";
import { Drain, shuffled } from "./drain.ts";
import { WORTH_MS } from "./inbox.ts";
import { Link } from "./link.ts";
import type { LinkHandler, LinkSetup } from "./link-handler.ts";
import { sweepInterval } from "./liveness.ts";

/** The room that a channel was let in to, and as whom. */
export interface Admitted {
  readonly room: string;
  readonly access: RoomAccess;
  /** Finds out what the channel may do with a newer token. Absent where the relay asks nobody who they are. */
  readonly renew?: Renew;
  /** The client keeps the history of the document. */
  readonly keepsHistory?: boolean;
  /** Whether a stock client sends back what it hears. Default: `after its answer`. */
  readonly echoing?: Echoing;
}

/** A connection that was asked for a new token is closed unless it brings one in this time, ms. */
const REFRESH_MS = 30_000;
/** A client of ours that is told that its token lasts no longer than this renews it at once, ms. */
const ASKED_MS = 1_000;
const STOPPING = "the relay is stopping";
const DRAINING = "the relay is draining: come back, and another one takes you";

export class Links implements LinkHandler {
  readonly clock: Clock;
  readonly tariff: Tariff;
  readonly turns: Turns = new Turns();
  readonly unsent: UnsentData;
  readonly unfinishedData: UnfinishedData;
  readonly #time: TimeQuota;
  readonly #settings: RelaySettings;
  readonly #hub: Hub;
  readonly #onError: (error: unknown, where: string) => void;
  readonly #links = new Set<Link>();
  readonly #renewals = new Map<Channel, Renewal>();
  #isShedding = false;
  #isClosed = false;
  #drain: Drain<Link> | null = null;
  /** When the next sweep is due, monotonic ms. */
  #sweepAt = Infinity;
  #sweeper: ReturnType<typeof setInterval> | undefined;

  constructor(settings: RelaySettings, hub: Hub, onError: (error: unknown, where: string) => void) {
    this.#settings = settings;
    this.#hub = hub;
    this.#onError = onError;
    this.clock = hub.clock;
    this.#time = new TimeQuota(settings.timeRate);
    this.tariff = { limits: settings, processor: new ProcessorTime(), time: this.#time };
    this.unsent = new UnsentData(settings.maxUnsentTotal);
    this.unfinishedData = new UnfinishedData(settings.maxUnsentTotal);
  }

  get probe(): Probe {
    return this.#hub.probe;
  }

  get sparedMs(): number {
    return this.#hub.sparedMs;
  }

  /** Takes a socket. No room hears of it until a channel is opened. */
  connect(socket: ServerSocket, setup: LinkSetup): Link {
    const within = sweepInterval(this.#settings);
    if (!this.#isClosed) this.#sweeper ??= setInterval(() => this.#sweep(within), within);
    const link = new Link(socket, setup, this.#settings, this);
    this.#links.add(link);
    if (this.#isClosed) link.close(Close.restart, STOPPING);
    else if (this.#drain !== null) link.close(Close.restart, DRAINING);
    return link;
  }

  /** Opens a channel of a link to a room. @param name what the link's messages call it */
  open(link: Link, { room, access, renew, keepsHistory, echoing }: Admitted, name?: string): Channel {
    const openedAt = this.clock.now();
    this.tariff.processor.begin(openedAt);
    const channel = link.open(access, name, echoing);
    // the link was closed meanwhile
    if (!this.#links.has(link)) return channel;
    if (renew !== undefined) {
      this.#renewals.set(channel, new Renewal(renew, (renewed) => this.#renewed(channel, renewed)));
    }
    // [API-24] a user who is refused for a while is refused with a good token, too
    const ban = access.user === null ? null : this.#hub.bans.of(access.user.id, access.lobby, openedAt);
    if (ban !== null) {
      this.#hub.counters.countRefused("forbidden");
      channel.close(ban.code, ban.reason);
      return channel;
    }
    this.#hub.join(channel, room, keepsHistory);
    const joinedAt = this.clock.now();
    this.turns.used(joinedAt - openedAt);
    if (joinedAt - openedAt >= WORTH_MS) link.charge(joinedAt - openedAt);
    return channel;
  }

  /**
   * Asks all connections of a user for a new token: clients of ours bring one at once. A connection that brings none in time is
   * closed (4501), so that its client connects anew. [API-26]
   *
   * @param lobby the lobby, as a room, that the user is meant in; null: all
   * @returns how many connections were asked
   */
  refresh(userId: string, lobby: string | null): number {
    const deadline = this.clock.wall() + REFRESH_MS;
    let asked = 0;
    for (const channel of this.#renewals.keys()) {
      const { access } = channel;
      if (access.user?.id !== userId || (lobby !== null && access.lobby !== lobby)) continue;
      channel.access = { ...access, expiresAt: Math.min(access.expiresAt ?? Infinity, deadline) };
      if (channel.kind === "native") channel.send(control({ kind: "access", expiresInMs: ASKED_MS }));
      asked++;
    }
    return asked;
  }

  /** All sockets that are open. */
  all(): Iterable<Link> {
    return this.#links;
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#links.size;
  }

  /** Tells one after the other to come back, and takes nobody any more. Resolves when all were told. [DRAIN-1] */
  drain(overMs: number): Promise<void> {
    this.#drain ??= new Drain({
      clients: shuffled(this.#links),
      overMs,
      now: () => this.clock.now(),
      close: (link) => link.close(Close.restart, DRAINING),
    });
    return this.#drain.done;
  }

  /** Tells everybody to come back later. */
  close(): void {
    this.#isClosed = true;
    this.#drain?.stop();
    clearInterval(this.#sweeper);
    for (const link of this.#links) link.close(Close.restart, STOPPING);
  }

  frame(channel: Channel, frame: Frame, now: number): void {
    if (frame.type !== "control" || frame.control.kind !== "token" || channel.kind !== "native") {
      return this.#hub.receive(channel, frame, now);
    }
    const renewal = this.#renewals.get(channel);
    if (renewal === undefined) this.#tellAccess(channel);
    else renewal.take(frame.control.token);
  }

  silence(channel: Channel): void {
    this.#hub.silence(channel);
  }

  drained(channel: Channel): void {
    this.#hub.drained(channel);
  }

  unfinishedIsOver(): void {
    // not while a message is being read
    queueMicrotask(() => {
      if (this.unfinishedData.isOver) this.unfinishedData.shed(this.#links);
    });
  }

  unsentIsOver(): void {
    if (this.#isShedding) return;
    this.#isShedding = true;
    // not while something is being sent
    queueMicrotask(() => {
      this.#isShedding = false;
      this.unsent.shed(this.#links);
    });
  }

  failed(error: unknown): void {
    this.#onError(error, "a message");
  }

  left(channel: Channel, code: number, now: number): void {
    this.#renewals.delete(channel);
    this.#hub.leave(channel, code, now);
  }

  ended(link: Link): void {
    this.#links.delete(link);
  }

  /** A channel goes on with a newer token, or ends. [AUTH-5] [AUTH-13] */
  #renewed(channel: Channel, renewed: RoomAccess | Denial): void {
    // the channel may be gone meanwhile
    if (!this.#renewals.has(channel)) return;
    if (isDenial(renewed)) {
      channel.close(renewed.code, renewed.reason);
    } else if (sameAccess(channel.access, renewed)) {
      channel.access = renewed;
      this.#tellAccess(channel);
      // what a channel may see is settled when it is opened, so it has to be opened anew
    } else channel.close(Close.restart, "what you may do has changed");
  }

  #tellAccess(channel: Channel): void {
    const { expiresAt } = channel.access;
    const expiresInMs = expiresAt === null ? null : Math.max(0, expiresAt - this.clock.wall());
    channel.send(control({ kind: "access", expiresInMs }));
  }

  #sweep(within: number): void {
    const now = this.clock.now();
    const stalledMs = stallOf(this.#sweepAt, now);
    this.#sweepAt = now + within;
    for (const link of this.#links) link.sweep(now, within, stalledMs);
    this.#time.sweep(now);
    this.#hub.sweep(now);
  }
}
