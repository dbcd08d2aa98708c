/**
 * A simulated world: pages with our client or y-websocket's, a relay that dies and comes back, a network that fails, and
 * somebody who knows the truth.
 *
 * What is simulated is the browser, the network and time. The clients, the provider of y-websocket and the relay are the
 * real ones.
 */
import type { Awareness } from "y-protocols/awareness";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import {
  type ManualStatus,
  type PageSignal,
  type Presence,
  type Room,
  type Roster,
  createPresence,
} from "../../src/client/index.ts";
import { openAccess } from "../../src/relay/access/grants.ts";
import { LinkedHub } from "../../src/relay/wiring/linked-hub.ts";
import { admit } from "../../src/relay/access/request.ts";
import { resolveOptions } from "../../src/relay/options.ts";
import { LINK_SUBPROTOCOL, awarenessFrame, encodeEntries } from "../../src/wire/index.ts";
import { everybody } from "../doorkeeper.ts";
import type { Actor, VirtualClock } from "./clock.ts";
import { Network, type Server, stopped } from "./network.ts";
import { type Random, chance, seeded } from "./random.ts";

const URL = "ws://relay";
export const ROOMS = ["red", "green", "blue"] as const;
const OWN_USERS = ["alice", "bob", "carol"] as const;

/** Longest that somebody dead may be shown, ms: ping interval, time-out and grace, and what is on the way. */
export const SHOWN_MS = 28_000 + 1_000;
/** How long observers wait for others after a relay came back: their grace and the longest back-off. */
export const HOLD_MS = 3_000 + 2_500;
export const GRACE_MS = 3_000;
/** A connection that died in silence is given up by then: renewal, the look whether one is due, and its time-out. */
const NOTICED_MS = 5_000 + 15_000 + 3_000 + 10_000;
/** Every client that can connect is connected by then: the rest of an attempt that was lost, and the longest back-off. */
export const BACK_MS = 6_000;
/** Every client that is connected has heard and is heard of by then. */
export const SETTLED_MS = 2_000;
/** A page that says nothing for so long is silent. */
const SILENT_MS = 75_000 + 1_000;
/** Outages that nobody may notice end within this, so that there is time to connect again, ms. */
const SHORT_MS = 1_200;
const HOUR_MS = 3_600_000;
/** How far a machine's wall clock may be from the true time, ms. */
const CLOCKS_MS = [-HOUR_MS, 0, HOUR_MS] as const;

/** What others may rely on of a page. */
interface PageBase {
  readonly actor: Actor;
  readonly user: string;
  /** The tokens that this page wrote, by room. */
  readonly wrote: Map<string, string[]>;
  /** Where its cursor is, by room. */
  readonly cursors: Map<string, number>;
  /** Nothing else happens to it before. */
  busyUntil: number;
  hidden: boolean;
  /** When it last may have missed what went on, from and until. */
  readonly blind: { from: number; until: number };
}
export interface OwnPage extends PageBase {
  readonly kind: "own";
  readonly presence: Presence<{ readonly n: number }>;
  readonly rooms: Map<string, Room>;
  readonly storage: Map<string, string>;
  readonly listeners: Set<(signal: PageSignal) => void>;
  /** What it set last as its metadata in the lobby. */
  meta: number;
  /** The same of each room. */
  readonly roomMetas: Map<string, number>;
}
export interface StockPage extends PageBase {
  readonly kind: "stock";
  /** It only looks on, without a state of its own; and like all of them it says back what it hears. */
  readonly lurks: boolean;
  readonly rooms: Map<string, WebsocketProvider>;
}
export type Page = OwnPage | StockPage;

export interface End {
  readonly endedAt: number;
  readonly until: number;
}

export class Violation extends Error {}

export class World {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly network: Network;
  readonly trace: string[] = [];
  readonly pages: Set<Page> = new Set();
  readonly seed: number;
  /** Two tabs that are in no room may go on with one session: each is connected to a relay of its own. */
  readonly mayShareSessions: boolean = false;
  hub: LinkedHub | null = null;
  /** The relay, as the network knows it; null while there is none. */
  server: Server | null = null;
  /** What the document of each room has held while this relay ran, at some quiet time. */
  readonly kept: Map<string, readonly string[]> = new Map();
  readonly #startedAt: number;
  /** All choices of status, in the order in which they were made. */
  readonly choices: { readonly page: OwnPage; readonly status: ManualStatus | null; readonly at: number }[] = [];
  /** Until when a leave of a user has a reason. */
  protected readonly excused = new Map<string, number>();
  /** When the last page of a user ended, and until when the user may be shown. */
  readonly #ends = new Map<string, End>();
  protected restartedAt = -Infinity;
  /** When the wall clock of the relay's machine was last set. */
  protected relayClockSetAt = -Infinity;
  protected anyClockSet = false;
  /** Until when nobody reaches the relay. */
  protected cutUntil = -Infinity;
  /** Since when that was so the last time. */
  protected cutAt = -Infinity;
  #count = 0;
  /** The first that was found. */
  #violation: Violation | null = null;

  constructor(seed: number, clock: VirtualClock) {
    this.seed = seed;
    this.clock = clock;
    this.random = seeded(seed);
    chance.current = this.random;
    this.network = new Network(clock, this.random);
    this.network.serverOf = () => this.server;
    this.#startedAt = clock.now;
    this.startRelay();
  }

  log(text: string): void {
    this.trace.push(`${((this.clock.now - this.#startedAt) / 1_000).toFixed(3).padStart(9)}  ${text}`);
  }

  fail(text: string): never {
    this.log(`VIOLATION: ${text}`);
    const trace = this.trace.slice(-Number(process.env["SIM_TRACE"] ?? 60)).join("\n");
    const violation = new Violation(`seed ${this.seed}: ${text}\n\n${trace}`);
    this.#violation ??= violation;
    throw violation;
  }

  /** Lets time pass. Throws what went wrong, also where a listener of a client found it: what that throws, the client reports. */
  pass(ms: number): void {
    this.clock.advance(ms);
    if (this.#violation !== null) throw this.#violation;
  }

  // the relay

  startRelay(): void {
    const actor: Actor = { name: "relay", mode: "running", waiting: [], wallAheadMs: 0 };
    this.clock.as(actor, () => {
      const hub = new LinkedHub(resolveOptions({}), () => {});
      this.hub = hub;
      this.server = serverOf(hub, actor);
    });
    this.log("relay starts");
  }

  /** Whether somebody's wall clock was wrong at any time: then nothing tells in which order choices were made. */
  get isAnyClockSet(): boolean {
    return this.anyClockSet;
  }

  /**
   * The wall clock of the relay's machine is set, while it runs. (One that starts with a clock behind the last one's gives
   * out lower clocks, which stock clients that remember the old ones do not take.)
   */
  setRelayClock(): void {
    if (this.server === null) return;
    this.relayClockSetAt = this.clock.now;
    this.setWall(this.server.actor, this.random.pick(CLOCKS_MS));
  }

  /** So is that of a page's. A stock client goes by the wall clock itself: what it would do is no fault of ours. */
  setClock({ actor }: OwnPage): void {
    this.setWall(actor, this.random.pick(CLOCKS_MS));
  }

  protected setWall(actor: Actor, aheadMs: number): void {
    this.log(`${actor.name}'s clock is set to be ${aheadMs} ms ahead`);
    actor.wallAheadMs = aheadMs;
    this.anyClockSet = true;
  }

  restartRelay(): void {
    const downMs = this.random.int(50, 2_500);
    const isStopped = this.random.chance(0.5);
    this.log(`relay is ${isStopped ? "stopped" : "killed"}, for ${downMs} ms`);
    // it takes its leave of everybody first
    const server = this.server!;
    if (isStopped) this.clock.as(server.actor, () => void this.hub!.close());
    server.actor.mode = "dead";
    this.network.killRelay(server);
    this.hub = null;
    this.server = null;
    this.kept.clear();
    this.restartedAt = this.clock.now + downMs;
    for (const page of this.pages) {
      // who cannot come back while others wait for them may be given up
      if (!this.isWell(page) || page.busyUntil > this.clock.now) this.excuse(page.user, downMs + HOLD_MS);
      // a session that has not heard of the choice may be back first; and timers of a hidden page wait for a minute, of
      // which ours tries once without
      if (isInvisible(page) || page.hidden) this.excuse(page.user, downMs + HOLD_MS);
      this.blind(page, downMs + 2 * HOLD_MS);
    }
    this.clock.after(downMs, () => this.startRelay());
  }

  get recentlyRestarted(): boolean {
    return this.clock.now < this.restartedAt + 15_000;
  }

  // pages

  get own(): OwnPage[] {
    return [...this.pages].filter((page) => page.kind === "own");
  }

  get stock(): StockPage[] {
    return [...this.pages].filter((page) => page.kind === "stock");
  }

  isWell(page: Page): boolean {
    return page.actor.mode === "running" && !this.network.blackHoled.has(page.actor) && !stopped.has(page.actor);
  }

  /** @param aheadMs how far its machine's wall clock is from the true time */
  openOwn(
    user: string = this.random.pick(OWN_USERS),
    storage: Map<string, string> = new Map(),
    aheadMs: number = 0,
  ): OwnPage {
    const actor = this.#actor(`${user}#${++this.#count}`);
    if (aheadMs !== 0) this.setWall(actor, aheadMs);
    const listeners = new Set<(signal: PageSignal) => void>();
    const memory = {
      get: (key: string) => storage.get(key) ?? null,
      set: (key: string, value: string) => void storage.set(key, value),
    };
    let page: OwnPage | undefined;
    this.clock.as(actor, () => {
      const meta = this.random.int(1, 1_000);
      const presence = createPresence<{ readonly n: number }>(URL, {
        user: { id: user, name: user },
        meta: { n: meta },
        WebSocket: this.network.webSocketOf(actor),
        device: this.random.pick(["desktop", "mobile"]),
        activity: { idleMs: 2 ** 31 - 1 },
        tabStorage: memory,
        userStorage: memory,
        page: {
          get visible() {
            return page?.hidden !== true;
          },
          subscribe: (listener) => {
            listeners.add(listener);
            return () => void listeners.delete(listener);
          },
        },
      });
      page = {
        ...this.#base(actor, user),
        kind: "own",
        presence,
        rooms: new Map(),
        storage,
        listeners,
        meta,
        roomMetas: new Map(),
      };
      this.#watch(actor.name, presence.lobby, () => page);
    });
    this.pages.add(page!);
    this.log(`${actor.name} opens`);
    return page!;
  }

  openStock(room?: string): StockPage {
    const user = `stock${++this.#count}`;
    const actor = this.#actor(user);
    const page: StockPage = {
      ...this.#base(actor, user),
      kind: "stock",
      lurks: room === undefined && this.random.chance(0.3),
      rooms: new Map(),
    };
    this.pages.add(page);
    this.log(`${actor.name} opens${page.lurks ? ", and looks on" : ""}`);
    this.join(page, room ?? this.random.pick(ROOMS));
    return page;
  }

  join(page: Page, name: string): void {
    if (page.rooms.has(name)) return;
    page.busyUntil = Math.max(page.busyUntil, this.clock.now + SETTLED_MS);
    this.log(`${page.actor.name} joins ${name}`);
    this.clock.as(page.actor, () => {
      if (page.kind === "own") {
        const room = page.presence.join(name, { meta: { n: 0 } });
        page.rooms.set(name, room);
        page.roomMetas.set(name, 0);
        this.#watch(`${page.actor.name} in ${name}`, room.roster, () => page);
        this.#watchStates(page, name, room.awareness);
      } else {
        const provider = new WebsocketProvider(URL, name, new Y.Doc(), {
          disableBc: true,
          WebSocketPolyfill: this.network.webSocketOf(page.actor) as unknown as typeof WebSocket,
        });
        if (page.lurks) provider.awareness.setLocalState(null);
        else provider.awareness.setLocalStateField("user", { id: page.user, name: page.user });
        page.rooms.set(name, provider);
        this.#watchStates(page, name, provider.awareness);
        provider.on("status", ({ status }) => {
          if (status === "disconnected") this.checkReason(page, name);
          else page.busyUntil = Math.max(page.busyUntil, this.clock.now + SETTLED_MS);
        });
      }
    });
  }

  leave(page: Page, name: string): void {
    this.log(`${page.actor.name} leaves ${name}`);
    this.excuse(page.user, 0);
    page.wrote.delete(name);
    page.cursors.delete(name);
    if (page.kind === "own") page.roomMetas.delete(name);
    const room = page.rooms.get(name)!;
    page.rooms.delete(name);
    this.clock.as(page.actor, () => ("leave" in room ? room.leave() : room.destroy()));
  }

  /** The page goes away as `how` says, for good. */
  end(page: Page, how: "closed" | "destroyed" | "crashed" | "vanished"): void {
    this.log(`${page.actor.name} is ${how}`);
    this.excuse(page.user, 0);
    const { user } = page;
    const endedAt = this.clock.now;
    const shownMs = this.#shownMs(page, how);
    page.busyUntil = Infinity;
    if (how === "destroyed") {
      this.clock.as(page.actor, () => {
        if (page.kind === "own") page.presence.destroy();
        else for (const provider of page.rooms.values()) provider.destroy();
      });
      const timers = page.kind === "own" && page.actor.mode !== "frozen" ? this.clock.pending(page.actor) : 0;
      if (timers > 0) this.fail(`${page.actor.name} left ${timers} timers behind`);
    }
    if (how === "closed") for (const link of this.network.linksOf(page.actor)) link.client.close(1001);
    if (how === "crashed") for (const link of this.network.linksOf(page.actor)) link.client.vanish();
    if (how === "vanished") this.network.blackHoled.add(page.actor);
    this.#forget(page);
    // the user had other pages, perhaps, that may be shown for longer
    const end = { endedAt, until: Math.max(endedAt + shownMs, this.#ends.get(user)?.until ?? 0) };
    this.#ends.set(user, end);
    this.clock.after(end.until - endedAt, () => this.checkGone(user, end));
  }

  /** How long after its end a page may be shown. */
  #shownMs(page: Page, how: string): number {
    const isHeard = this.isWell(page) && page.busyUntil <= this.clock.now && !this.recentlyRestarted;
    if (how === "vanished" || !isHeard) return SHOWN_MS;
    // a stock client does not say that it leaves
    return how === "destroyed" && page.kind === "own" ? 1_000 : GRACE_MS + 1_000;
  }

  /** The page is loaded again in the same tab: a new client with the same session. */
  reload(page: OwnPage): void {
    const downMs = this.random.int(20, SHORT_MS);
    this.log(`${page.actor.name} reloads, for ${downMs} ms`);
    if (this.recentlyRestarted) this.excuse(page.user, downMs);
    // there is no page of it for a moment
    this.#ends.delete(page.user);
    const rooms = [...page.rooms.keys()];
    for (const link of this.network.linksOf(page.actor)) {
      if (this.random.chance(0.5)) link.client.close(1001);
      else link.client.vanish();
    }
    this.#forget(page);
    this.clock.after(downMs, () => {
      const next = this.openOwn(page.user, page.storage, page.actor.wallAheadMs);
      for (const room of rooms) this.join(next, room);
      next.busyUntil = Math.max(next.busyUntil, this.clock.now + BACK_MS);
    });
  }

  /** Drops all connections at once; the network itself is there, though it may be another, and the relay not be told. */
  resetLinks(page: Page): void {
    const isTold = this.random.chance(0.6);
    this.log(`${page.actor.name}'s connections are reset${isTold ? "" : ", and the relay is not told"}`);
    if (page.actor.mode !== "running" || this.recentlyRestarted) this.excuse(page.user, 60_000);
    page.busyUntil = this.clock.now + BACK_MS;
    this.blind(page, 6_000);
    for (const link of this.network.linksOf(page.actor)) link.reset(isTold ? "network" : "server");
  }

  /** The connections die in silence, as behind a router that forgets them: new ones work, and nobody is told. */
  cutSilently(page: Page): void {
    this.log(`${page.actor.name}'s connections die in silence`);
    this.excuse(page.user, BACK_MS);
    page.busyUntil = this.clock.now + NOTICED_MS + BACK_MS;
    this.blind(page, NOTICED_MS + BACK_MS);
    for (const link of this.network.linksOf(page.actor)) link.dead = true;
  }

  /** The tab is duplicated, and its memory with it: two live pages with one session id. */
  duplicate(page: OwnPage): void {
    this.log(`${page.actor.name} is duplicated`);
    page.busyUntil = this.clock.now + BACK_MS;
    const copy = this.openOwn(page.user, new Map(page.storage), page.actor.wallAheadMs);
    for (const room of page.rooms.keys()) this.join(copy, room);
  }

  blackHole(page: Page, ms: number): void {
    this.log(`${page.actor.name} is in a black hole for ${ms} ms`);
    this.#outage(
      page,
      ms,
      () => this.network.blackHoled.add(page.actor),
      () => this.#endBlackHole(page),
    );
  }

  /** The way to the relay is cut for all at once, for longer than it waits for them; it runs all the while. */
  cutAll(): void {
    const ms = this.random.int(4_000, 20_000);
    this.log(`nobody reaches the relay for ${ms} ms`);
    this.cutUntil = this.clock.now + ms;
    this.cutAt = this.clock.now;
    for (const page of this.pages) {
      // a stock client takes up to 30 s to notice, and what was in trouble before is so afterwards
      const isWell = this.isWell(page) && page.busyUntil <= this.clock.now && !page.hidden;
      if (page.kind === "stock" || !isWell || isInvisible(page)) this.excuse(page.user, ms + 30_000);
      page.busyUntil = Math.max(page.busyUntil, this.clock.now + ms + BACK_MS);
      this.blind(page, ms + 2 * HOLD_MS);
      for (const link of this.network.linksOf(page.actor)) link.reset("network");
      this.network.blackHoled.add(page.actor);
    }
    this.clock.after(ms, () => {
      for (const page of this.pages) this.#endBlackHole(page);
      this.log("everybody reaches the relay again");
    });
  }

  #endBlackHole(page: Page): void {
    if (this.clock.now < this.cutUntil || !this.network.blackHoled.delete(page.actor)) return;
    page.busyUntil = Math.max(page.busyUntil, this.clock.now + BACK_MS);
    // what was sent meanwhile is lost, and with it the order that a connection promises: it dies
    for (const link of this.network.linksOf(page.actor)) link.surface();
    if (page.kind === "own") this.signal(page, "wake");
  }

  /** The process stops, as with SIGSTOP, and goes on later. */
  stop(page: Page, ms: number): void {
    this.log(`${page.actor.name} is stopped for ${ms} ms`);
    this.#outage(
      page,
      ms,
      () => {
        page.actor.mode = "frozen";
        stopped.add(page.actor);
      },
      () => {
        stopped.delete(page.actor);
        this.clock.thaw(page.actor);
      },
    );
  }

  /** The browser freezes the page: its network answers pings, and nothing else. */
  freeze(page: Page, ms: number): void {
    this.log(`${page.actor.name} is frozen for ${ms} ms`);
    const frozenAt = this.clock.now;
    // it can freeze before it has come back
    if (this.recentlyRestarted) this.excuse(page.user, ms);
    else if (ms > SILENT_MS) this.clock.after(SILENT_MS, () => this.#checkAway(page, frozenAt));
    page.busyUntil = this.clock.now + ms + BACK_MS;
    this.blind(page, ms + 6_000);
    page.actor.mode = "frozen";
    this.clock.after(ms, () => {
      if (!this.pages.has(page)) return;
      this.log(`${page.actor.name} thaws`);
      this.clock.thaw(page.actor);
      if (page.kind === "own") this.signal(page, "wake");
    });
  }

  setHidden(page: Page, hidden: boolean): void {
    if (page.hidden === hidden || page.actor.mode === "frozen") return;
    this.log(`${page.actor.name} is ${hidden ? "hidden" : "shown"}`);
    page.hidden = hidden;
    if (!hidden) page.busyUntil = Math.max(page.busyUntil, this.clock.now + BACK_MS);
    if (page.kind === "own") this.signal(page, hidden ? "hidden" : "visible");
    if (!hidden) this.clock.thaw(page.actor);
    else {
      this.clock.after(60_000, () => {
        if (page.hidden && page.actor.mode === "running") page.actor.mode = "throttled";
      });
    }
  }

  signal(page: OwnPage, signal: PageSignal): void {
    this.clock.as(page.actor, () => {
      for (const listener of page.listeners) listener(signal);
    });
  }

  edit(page: Page): void {
    const name = this.random.pick([...page.rooms.keys()]);
    if (name === undefined) return;
    const token = `<${++this.#count}>`;
    this.log(`${page.actor.name} writes ${token} in ${name}`);
    page.wrote.set(name, [...(page.wrote.get(name) ?? []), token]);
    this.clock.as(page.actor, () => {
      const words = docOf(page, name).getArray<string>("words");
      words.insert(this.random.int(0, words.length), [token]);
    });
  }

  /** Says that somebody else has left, as a tab does of whom its sibling, over a BroadcastChannel, has let go of. */
  sayOtherGone(page: StockPage): void {
    const [name, provider] = this.random.pick([...page.rooms]) ?? [];
    if (name === undefined || provider === undefined) return;
    const others = [...provider.awareness.meta].filter(([id]) => id !== provider.awareness.clientID);
    const [id, meta] = this.random.pick(others) ?? [];
    if (id === undefined || meta === undefined || provider.ws?.readyState !== 1) return;
    this.log(`${page.actor.name} says that ${id} has left ${name}`);
    const gone = { id, clock: meta.clock + this.random.int(0, 2), state: null };
    this.clock.as(page.actor, () => provider.ws!.send(Uint8Array.from(awarenessFrame(encodeEntries([gone])))));
  }

  /** @param times how often in a row */
  moveCursor(page: Page, times: number = this.random.int(1, 5)): void {
    const name = this.random.pick([...page.rooms.keys()]);
    if (name === undefined) return;
    if (page.kind === "stock" && page.lurks) return;
    // on and on, while what was said before is on its way, and whatever happens meanwhile
    for (let i = times, ms = 0; i > 0; i--, ms += this.random.int(1, 500)) {
      const x = this.random.int(0, 999);
      this.clock.after(ms, () => {
        this.clock.as(page.actor, () => {
          const room = page.rooms.get(name);
          if (!this.pages.has(page) || room === undefined) return;
          page.cursors.set(name, x);
          room.awareness.setLocalStateField("cursor", { x });
        });
      });
    }
  }

  /** Others are to see other metadata of the page, in the lobby and in each of its rooms. */
  setMeta(page: OwnPage): void {
    page.meta = this.random.int(1, 1_000_000);
    this.log(`${page.actor.name} sets meta ${page.meta}`);
    this.clock.as(page.actor, () => {
      page.presence.setMeta({ n: page.meta });
      // each room has metadata of its own: what is shown of another room, or of the lobby, is noticed
      for (const [i, [name, room]] of [...page.rooms].entries()) {
        const n = page.meta + (i + 1) * 1_000_000;
        page.roomMetas.set(name, n);
        room.setMeta({ n });
      }
    });
  }

  /** The user is called something else from now on, as this page says. */
  rename(page: OwnPage): void {
    const name = `${page.user} ${this.random.int(1, 1_000)}`;
    this.log(`${page.actor.name} calls itself ${name}`);
    this.clock.as(page.actor, () => page.presence.setUser({ name }));
  }

  setStatus(page: OwnPage): void {
    const status = this.random.pick<ManualStatus | null>(["busy", "dnd", "away", "invisible", null, null]);
    this.log(`${page.actor.name} chooses ${status}`);
    this.clock.as(page.actor, () => page.presence.setStatus(status));
    this.choices.push({ page, status, at: this.clock.now });
    // the choice may reach others when its author comes back, much later
    this.excuse(page.user, 120_000);
  }

  /** A leave of this user has a reason for as long as something dead may be shown, and `ms` more. */
  excuse(user: string, ms: number): void {
    const until = this.clock.now + SHOWN_MS + HOLD_MS + ms;
    this.excused.set(user, Math.max(this.excused.get(user) ?? 0, until));
  }

  /** Ends all outages, and lets what is under way arrive. */
  quiet(ms: number): void {
    this.cutUntil = -Infinity;
    for (const page of this.pages) {
      page.busyUntil = Math.max(page.busyUntil, this.clock.now + BACK_MS);
      this.blind(page, 6_000);
      this.#endBlackHole(page);
      stopped.delete(page.actor);
      if (page.actor.mode !== "running") this.clock.thaw(page.actor);
      this.setHidden(page, false);
      if (page.kind === "own") this.signal(page, "wake");
    }
    this.log("quiet");
    this.pass(ms);
  }

  #actor(name: string): Actor {
    const actor: Actor = { name, mode: "running", waiting: [], wallAheadMs: 0 };
    if (this.clock.now < this.cutUntil) this.network.blackHoled.add(actor);
    return actor;
  }

  #base(actor: Actor, user: string): PageBase {
    const { now } = this.clock;
    return {
      actor,
      user,
      wrote: new Map(),
      cursors: new Map(),
      // one that opens while nobody reaches the relay has yet to connect
      busyUntil: now < this.cutUntil ? this.cutUntil + BACK_MS : now + 2_000,
      hidden: false,
      blind: { from: now, until: now + 2_000 },
    };
  }

  /** The page may miss what goes on for so long. */
  protected blind({ blind }: Page, ms: number): void {
    if (blind.until < this.clock.now) blind.from = this.clock.now;
    blind.until = Math.max(blind.until, this.clock.now + ms);
  }

  #outage(page: Page, ms: number, begin: () => void, end: () => void): void {
    if (ms > SHORT_MS || page.hidden || this.recentlyRestarted) this.excuse(page.user, ms);
    page.busyUntil = this.clock.now + ms + BACK_MS;
    this.blind(page, ms + 6_000);
    begin();
    this.clock.after(ms, () => {
      if (!this.pages.has(page)) return;
      this.log(`${page.actor.name} is back`);
      end();
    });
  }

  #forget(page: Page): void {
    page.actor.mode = "dead";
    this.pages.delete(page);
  }

  // what must never happen

  /** A page that has been left alone for a while is connected, to a connection that lives, and sees who is there. */
  checkWell(page: Page): void {
    if (!this.isWell(page) || page.hidden || this.recentlyRestarted) return;
    const { name } = page.actor;
    const isDead = this.network
      .linksOf(page.actor)
      .some(({ dead, client }) => dead && client.readyState === client.OPEN);
    if (isDead && page.kind === "own") this.fail(`${name} still believes a connection that is dead`);
    for (const { roomId, status } of page.kind === "own" ? rostersOf(page) : []) {
      if (status === "stale") this.fail(`${name} is not back in ${roomId}`);
    }
    // nothing tells the return of one that says nothing, while its old connection seems open: it waits for renewals
    if (page.kind === "stock" && page.lurks) return;
    for (const [room, { awareness }] of page.rooms) {
      for (const other of this.pages) {
        const theirs = other.rooms.get(room);
        if (theirs === undefined || !this.#isSettled(page, room) || !this.#isSettled(other, room)) continue;
        if (isInvisible(other) || (this.excused.get(other.user) ?? 0) > this.clock.now) continue;
        const id = theirs.awareness.clientID;
        if (!awareness.states.has(id)) this.fail(`${name} does not see ${other.actor.name} in ${room}`);
      }
    }
  }

  /** It is in the room for others to see, and has been left alone there. */
  #isSettled(page: Page, room: string): boolean {
    const isAlone = this.isWell(page) && !page.hidden && page.busyUntil <= this.clock.now;
    return (
      isAlone && (page.kind === "own" ? page.rooms.get(room)!.roster.status === "live" : page.rooms.get(room)!.synced)
    );
  }

  /** Nobody loses a connection but by what is done to it. */
  protected checkReason(page: Page, roomId: string): void {
    if (page.rooms.has(roomId) || roomId.startsWith("@")) {
      const isWell = this.isWell(page) && page.busyUntil <= this.clock.now && !this.recentlyRestarted;
      if (isWell && this.pages.has(page))
        this.fail(`${page.actor.name} lost its connection to ${roomId} for no reason`);
    }
  }

  #watchStates(page: Page, name: string, awareness: Awareness): void {
    const observer = `${page.actor.name} in ${name}`;
    awareness.on("change", () => this.#checkCarets(observer, awareness));
    awareness.on("update", () => {
      // nobody but its author changes a state, also not for a moment
      const own = awareness.getLocalState();
      const cursor = own?.["cursor"] as { readonly x: number } | undefined;
      // a stock provider leaves its awareness running
      const isOver = page.rooms.get(name)?.awareness !== awareness;
      if (own === null || isOver || cursor?.x === page.cursors.get(name)) return;
      this.fail(`${observer}: own cursor is ${cursor?.x}, but was left at ${page.cursors.get(name)}`);
    });
  }

  /** A session has one state in a room, also at the moment that it is back: no second caret. */
  #checkCarets(observer: string, { clientID, states }: Awareness): void {
    const seen = new Set<string>();
    for (const [id, state] of states) {
      const { session } = (state["copresence"] ?? {}) as { session?: string };
      if (session === undefined || id === clientID) continue;
      if (seen.has(session)) this.fail(`${observer} saw a session twice`);
      seen.add(session);
    }
  }

  /** A page that is frozen for long is away to all who see it, and not gone. */
  #checkAway(page: Page, frozenAt: number): void {
    if (page.kind !== "own" || !this.pages.has(page) || page.actor.mode !== "frozen") return;
    const isExcused = isInvisible(page) || (this.excused.get(page.user) ?? 0) >= frozenAt;
    if (isExcused || this.restartedAt > frozenAt || this.cutUntil > frozenAt) return;
    for (const { actor, user, presence, ...observer } of this.own) {
      if (user === page.user || observer.blind.until > this.clock.now) continue;
      const session = presence.lobby.get(page.user)?.sessions.find(({ id }) => id === page.presence.session);
      if (session?.status === "away") continue;
      this.fail(`${actor.name} sees ${page.actor.name}, frozen for ${SILENT_MS} ms, as ${session?.status ?? "gone"}`);
    }
  }

  /** Follows a roster's events: join and leave alternate, and every leave has a reason. */
  #watch<Meta>(observer: string, roster: Roster<Meta>, pageOf: () => Page | undefined): void {
    const present = new Set<string>();
    let isSynced = false;
    let syncedAt = Infinity;
    roster.on("synced", ({ users }) => {
      isSynced = true;
      syncedAt = this.clock.now;
      for (const user of users) if (user.status !== "offline" || user.self) present.add(user.id);
      this.log(`  ${observer}: synced [${[...present].join(" ")}]`);
    });
    // what it missed, it learns of when it is live again and has waited for those who may come back
    const missed = { from: Infinity, until: -Infinity };
    roster.on("status", (status) => {
      this.log(`  ${observer}: ${status}`);
      const { now } = this.clock;
      const page = pageOf();
      if (status === "stale" && page !== undefined) this.checkReason(page, roster.roomId);
      if (status !== "stale") {
        if (missed.until === Infinity) missed.until = now + HOLD_MS + 3_000 + (page?.hidden ? 60_000 : 0);
        return;
      }
      // it had missed things since the connection died, not only since that was noticed; or since it had done so before,
      // and was yet to learn of them
      const since = page !== undefined && page.blind.until > now ? page.blind.from : now;
      if (missed.until < since) missed.from = since;
      missed.until = Infinity;
    });
    roster.on("join", ({ userId }) => {
      this.log(`  ${observer}: ${userId} joins`);
      if (!isSynced) this.fail(`${observer} saw ${userId} join before all who were there first`);
      if (present.has(userId)) this.fail(`${observer} saw ${userId} join twice`);
      this.checkGhost(observer, userId, pageOf());
      present.add(userId);
    });
    roster.on("leave", ({ userId, roomId }) => {
      this.log(`  ${observer}: ${userId} leaves ${roomId}`);
      if (!present.delete(userId)) this.fail(`${observer} saw ${userId} leave twice`);
      // one that was first let in since nobody reached the relay has nobody to wait for, and takes its word
      if (syncedAt >= this.cutAt && this.clock.now < this.cutAt + 20_000 + SHOWN_MS) return;
      // one that was blind meanwhile may learn of it late
      const { now } = this.clock;
      const since = [missed, pageOf()?.blind].flatMap((gap) => (gap !== undefined && gap.until > now ? gap.from : []));
      if ((this.excused.get(userId) ?? 0) < Math.min(now, ...since)) {
        this.fail(`${observer} saw ${userId} leave ${roomId} for no reason`);
      }
    });
  }

  /** Nobody who has gone comes, to those who see all that goes on. */
  protected checkGhost(observer: string, user: string, page: Page | undefined): void {
    const end = this.#ends.get(user);
    if (page === undefined || end === undefined || [...this.pages].some((each) => each.user === user)) return;
    if (page.blind.until > end.endedAt - SETTLED_MS || this.clock.now < end.endedAt + SETTLED_MS) return;
    this.fail(`${observer} saw ${user} join, ${this.clock.now - end.endedAt} ms after their end`);
  }

  /** Nobody shows a user for longer than the bound after their last page ended, nor as seen later than that. */
  protected checkGone(user: string, end: End): void {
    const { endedAt, until } = end;
    if ([...this.pages].some((page) => page.user === user) || this.restartedAt > endedAt - 10_000) return;
    if (this.#ends.get(user) !== end) return;
    for (const page of this.own) {
      if (!this.isWell(page) || page.blind.until > endedAt) continue;
      for (const roster of rostersOf(page)) {
        const seen = roster.get(user);
        if (roster.status !== "live" || seen === undefined) continue;
        const about = `${page.actor.name} still sees ${user} in ${roster.roomId}`;
        if (seen.status !== "offline") this.fail(`${about}, ${until - endedAt} ms after their end`);
        // it is told by the relay's clock
        const isRight = this.server?.actor.wallAheadMs === 0 && this.relayClockSetAt < endedAt - SHOWN_MS;
        if (isRight && seen.lastSeen > endedAt + 1_000)
          this.fail(`${about} as last seen ${seen.lastSeen - endedAt} ms after their end`);
      }
    }
  }
}

/** What a relay does with the sockets that reach it. */
export function serverOf(hub: LinkedHub, actor: Actor): Server {
  return {
    actor,
    listener: (socket, target) => {
      if (socket.protocol === LINK_SUBPROTOCOL) return void hub.link(socket, "10.0.0.1", everybody());
      const asked = admit(target);
      if (asked.ok) hub.accept(socket, "10.0.0.1", { room: asked.room, access: openAccess(asked.lobby) });
    },
  };
}

function rostersOf(page: OwnPage): Roster<unknown>[] {
  return [page.presence.lobby, ...[...page.rooms.values()].map((room) => room.roster)];
}

export function isInvisible(page: Page): boolean {
  return page.kind === "own" ? page.presence.status.manual === "invisible" : page.lurks;
}

export function docOf(page: Page, room: string): Y.Doc {
  return page.rooms.get(room)!.doc;
}
