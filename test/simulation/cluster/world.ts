/**
 * The simulated world with several relays on one bus: what the pages, the network and somebody who knows the truth are in the
 * world of one relay, with relays that are killed, cut off and replaced, and clients that go from one to another.
 */
import { decodeEntries, decodeFrame } from "../../../src/wire/index.ts";
import { PART_BYTES } from "../../../src/relay/cluster/parts/post.ts";
import type { Actor, VirtualClock } from "../clock.ts";
import type { Link, Server } from "../network.ts";
import {
  BACK_MS,
  type End,
  HOLD_MS,
  type OwnPage,
  type Page,
  type StockPage,
  World,
  docOf,
  isInvisible,
} from "../world.ts";
import { Broker, CALM, type Weather } from "./broker.ts";
import { SimRelay } from "./relay.ts";
import { SharedStore } from "./store.ts";

export const RELAYS = 3;
const FIVE_MIN_MS = 300_000;
const CLOCKS_MS = [-FIVE_MIN_MS, 0, FIVE_MIN_MS] as const;
/** A trouble of the bus that is over sooner than this is noticed by nobody, ms. */
const UNNOTICED_MS = 900;
/** After a trouble of the bus all is well again by then: the beat, the connection begun anew, and what is asked for, ms. */
export const HEALED_MS = 12_000;
/** By then all relays have heard of a choice, ms. */
const CHOSEN_MS = 1_500;

export class ClusterWorld extends World {
  override readonly mayShareSessions = true;
  readonly broker: Broker;
  readonly store: SharedStore;
  /** By their places; null: there is none now. */
  readonly relays: (SimRelay | null)[] = [];
  /** Of each room, what another client has seen or the store has acknowledged. */
  readonly proven: Map<string, Set<string>> = new Map();
  /** The relay that a page goes to, by its place. */
  readonly #homes = new Map<Actor, number>();
  /** Since when nothing of a user may be seen: all relays have heard of the choice. */
  readonly #hidden = new Map<string, { readonly since: number; readonly by: OwnPage }>();
  #busTroubleUntil = -Infinity;
  /** Until when somebody may be seen to leave because of a trouble of the bus. */
  #partingUntil = -Infinity;
  #started = 0;

  constructor(seed: number, clock: VirtualClock) {
    super(seed, clock);
    this.broker = new Broker(clock, this.random);
    this.store = new SharedStore(clock, this.random);
    this.store.onStored = (room, updates) => {
      for (const update of updates) for (const token of tokensIn(update)) this.#prove(room, token);
    };
    this.network.serverOf = (page) => this.#serverFor(page);
    this.network.onArrival = (link, data) => this.#checkArrival(link, data);
    for (let place = 0; place < RELAYS; place++) this.#start(place);
  }

  override startRelay(): void {}

  /** Whether relays may not hear each other now, or have yet to make up for that. */
  get isBusInTrouble(): boolean {
    return this.clock.now < this.#busTroubleUntil;
  }

  get live(): readonly SimRelay[] {
    return this.relays.filter((relay) => relay !== null);
  }

  homeOf(page: Page): SimRelay | null {
    return this.relays[this.#homes.get(page.actor) ?? 0] ?? null;
  }

  // relays

  /** One relay dies, or says first that it stops, and another takes its place. */
  override restartRelay(): void {
    const { random } = this;
    const place = random.pick(this.relays.flatMap((relay, i) => (relay === null ? [] : [i])));
    this.restart(place, random.int(50, 8_000), random.chance(0.5));
  }

  restart(place: number, downMs: number, isStopped: boolean): void {
    const relay = this.relays[place];
    if (relay === null || relay === undefined) return;
    this.log(`${relay.actor.name} is ${isStopped ? "stopped" : "killed"}, for ${downMs} ms`);
    for (const page of this.pages) {
      if (this.homeOf(page) !== relay) continue;
      const isBusy = !this.isWell(page) || page.busyUntil > this.clock.now;
      if (isBusy || isInvisible(page) || page.hidden) this.excuse(page.user, downMs + HOLD_MS);
      this.blind(page, 2 * HOLD_MS);
      page.busyUntil = Math.max(page.busyUntil, this.clock.now + BACK_MS);
    }
    if (isStopped) this.clock.as(relay.actor, () => void relay.hub.close());
    this.relays[place] = null;
    relay.actor.mode = "dead";
    this.broker.ends.delete(relay.end);
    this.network.killRelay(relay.server);
    this.restartedAt = this.clock.now;
    this.clock.after(downMs, () => this.#start(place));
  }

  override setRelayClock(): void {
    const relay = this.random.pick(this.live);
    if (relay === undefined) return;
    this.relayClockSetAt = this.clock.now;
    this.setWall(relay.actor, this.random.pick(CLOCKS_MS));
  }

  /** Somebody's page goes to another relay, as a balancer has it. */
  move(page: Page): void {
    const place = this.random.int(0, RELAYS - 1);
    this.log(`${page.actor.name} goes to relay ${place}`);
    this.#homes.set(page.actor, place);
    this.resetLinks(page);
  }

  /** A tab that goes from one relay to another, again and again. */
  alternate(page: Page): void {
    this.excuse(page.user, BACK_MS);
    for (let i = this.random.int(2, 4), ms = 0; i > 0; i--, ms += this.random.int(100, 1_500)) {
      this.clock.after(ms, () => {
        if (this.pages.has(page) && this.isWell(page)) this.move(page);
      });
    }
  }

  // the bus

  /** The bus is in trouble for a while. */
  troubleBus(): void {
    const { random, broker } = this;
    const ms = random.chance(0.4) ? random.int(50, UNNOTICED_MS) : random.int(UNNOTICED_MS, 15_000);
    const relay = random.pick(this.live);
    if (relay === undefined) return;
    const { end, actor } = relay;
    const kinds: readonly (readonly [string, () => void, () => void])[] = [
      ["Redis is away", () => (broker.isDown = true), () => broker.restart()],
      [`${actor.name} cannot publish`, () => (end.canSpeak = false), () => (end.canSpeak = true)],
      [`${actor.name} has lost what it listens by`, () => end.lose(ms), () => {}],
      [`${actor.name} hears nothing, and is not told`, () => (end.isDeaf = true), () => (end.isDeaf = false)],
      [
        `${actor.name} is cut off from Redis`,
        () => (end.canSpeak = end.canHear = false),
        () => (end.canSpeak = end.canHear = true),
      ],
    ];
    const [what, begin, over] = random.pick(kinds);
    this.log(`${what}, for ${ms} ms`);
    this.#trouble(ms);
    begin();
    this.clock.after(ms, () => {
      this.log(`${what}: over`);
      over();
    });
  }

  /** What is said on the bus is lost, late, or comes twice. */
  setWeather(weather: Weather, ms: number): void {
    this.log(`weather on the bus: ${JSON.stringify(weather)}`);
    this.broker.weather = weather;
    this.clock.after(ms, () => {
      if (this.broker.weather === weather) this.broker.weather = CALM;
    });
    this.#busTroubleUntil = Math.max(this.#busTroubleUntil, this.clock.now + ms + HEALED_MS);
  }

  troubleStore(): void {
    const ms = this.random.int(500, 15_000);
    this.log(`the store is away for ${ms} ms`);
    this.store.isDown = true;
    this.clock.after(ms, () => (this.store.isDown = false));
  }

  /** Relays compact a document at the same time; one of them may die of it. */
  compact(): void {
    const room = this.random.pick(["red", "green", "blue"] as const);
    for (const { actor } of this.live) {
      if (this.random.chance(0.6)) this.clock.as(actor, () => void this.store.compact(room, actor).catch(() => {}));
    }
  }

  #trouble(ms: number): void {
    this.#busTroubleUntil = Math.max(this.#busTroubleUntil, this.clock.now + ms + HEALED_MS);
    if (ms < UNNOTICED_MS) return;
    this.#partingUntil = this.#busTroubleUntil;
    for (const { user } of this.pages) this.excuse(user, ms + HEALED_MS);
  }

  /** Ends what is wrong with the bus, the store and the relays. */
  calm(): void {
    this.broker.weather = CALM;
    if (this.broker.isDown) this.broker.restart();
    this.store.isDown = false;
    for (const { end } of this.live) {
      end.canSpeak = end.canHear = true;
      end.isDeaf = false;
    }
  }

  // pages

  override setStatus(page: OwnPage): void {
    super.setStatus(page);
    const { status } = this.choices.at(-1)!;
    this.#hidden.delete(page.user);
    if (status !== "invisible" || this.anyClockSet) return;
    this.clock.after(CHOSEN_MS, () => {
      const isSettled = this.choices.findLast((choice) => choice.page.user === page.user)?.page === page;
      if (!isSettled || !isInvisible(page) || page.busyUntil > this.clock.now || this.isBusInTrouble) return;
      this.#hidden.set(page.user, { since: this.clock.now, by: page });
    });
  }

  override openOwn(...given: Parameters<World["openOwn"]>): OwnPage {
    return this.#opened(super.openOwn(...given));
  }

  override openStock(room?: string): StockPage {
    return this.#opened(super.openStock(room));
  }

  /** One that comes while the bus is in trouble may be at a relay that the others take for lost. */
  #opened<P extends Page>(page: P): P {
    const ms = this.#partingUntil - this.clock.now;
    if (ms > 0) this.excuse(page.user, ms);
    return page;
  }

  override join(page: Page, name: string): void {
    if (page.rooms.has(name)) return;
    super.join(page, name);
    const { awareness } = page.rooms.get(name)!;
    awareness.on("change", ({ added, updated }: { added: number[]; updated: number[] }) => {
      for (const id of [...added, ...updated]) this.#checkHidden(page, name, awareness.states.get(id));
    });
    const own = (): readonly string[] => page.wrote.get(name) ?? [];
    docOf(page, name)
      .getArray<string>("words")
      .observe(({ changes }) => {
        for (const { insert } of changes.delta) {
          for (const token of Array.isArray(insert) ? (insert as string[]) : []) {
            if (!own().includes(token)) this.#prove(name, token);
          }
        }
      });
  }

  override checkWell(page: Page): void {
    // one whose relay does not hear the others is told so
    if (!this.isBusInTrouble) super.checkWell(page);
  }

  protected override checkReason(page: Page, roomId: string): void {
    // an observer is told that it does not know of others
    if (!this.isBusInTrouble) super.checkReason(page, roomId);
  }

  protected override checkGhost(observer: string, user: string, page: Page | undefined): void {
    // one whose relay could not hear the others hears only now of somebody who came meanwhile, and has gone unnoticed
    if (!this.isBusInTrouble) super.checkGhost(observer, user, page);
  }

  protected override checkGone(user: string, end: End): void {
    // that somebody left may have been lost on the bus: it is asked for once the bus is well
    if (!this.isBusInTrouble) return super.checkGone(user, end);
    this.clock.after(this.#busTroubleUntil - this.clock.now, () => this.checkGone(user, end));
  }

  /** Everybody who is well does something that others see. */
  stir(): void {
    for (const page of this.pages) {
      this.moveCursor(page, 1);
      this.edit(page);
      if (page.kind === "own") this.setMeta(page);
    }
  }

  #start(place: number): void {
    if (this.relays[place] !== null && this.relays[place] !== undefined) return;
    const { random } = this;
    const wallAheadMs = random.chance(0.2) ? random.pick(CLOCKS_MS) : 0;
    if (wallAheadMs !== 0) this.anyClockSet = true;
    const name = `relay${place}.${++this.#started}`;
    const isNewer = random.chance(0.3);
    // short enough that most of what relays say at once goes in several
    const partBytes = random.chance(0.3) ? random.int(60, 600) : PART_BYTES;
    this.relays[place] = new SimRelay(name, this.clock, this.broker, this.store, wallAheadMs, isNewer, partBytes);
    this.log(`${name} starts`);
  }

  /** A balancer sends a page to its relay, or to another where that one is not to be had. */
  #serverFor(page: Actor): Server | null {
    const place = this.#homes.get(page) ?? this.random.int(0, RELAYS - 1);
    this.#homes.set(page, place);
    const home = this.relays[place];
    if (home !== null && home !== undefined && !home.isHidden) return home.server;
    const other = this.random.pick(this.live.filter(({ isHidden }) => !isHidden));
    if (other === undefined) return null;
    this.#homes.set(page, this.relays.indexOf(other));
    return other.server;
  }

  #prove(room: string, token: string): void {
    const tokens = this.proven.get(room) ?? new Set();
    this.proven.set(room, tokens.add(token));
  }

  // what must never happen

  /** Nothing of a user is seen once all relays know that they are not to be seen. [BUS-15] */
  #checkHidden(observer: Page, room: string, state: Readonly<Record<string, unknown>> | undefined): void {
    const { id } = (state?.["user"] ?? {}) as { readonly id?: string };
    // a page that thaws is shown first what was true when it froze
    if (id === undefined || id === observer.user || observer.actor.isCatchingUp === true || !this.#isHidden(id)) return;
    this.fail(`${observer.actor.name} in ${room} sees ${id}, who is invisible`);
  }

  #isHidden(user: string): boolean {
    const hidden = this.#hidden.get(user);
    if (hidden === undefined) return false;
    const { by } = hidden;
    const isThere = this.pages.has(by) && this.isWell(by) && by.busyUntil <= this.clock.now && isInvisible(by);
    return isThere && !this.isBusInTrouble && !this.recentlyRestarted && !by.hidden;
  }

  /** What a stock client is told, it takes: clocks rise, and of itself it hears nothing above what it said. [BUS-6] */
  #checkArrival({ actor }: Link, data: Uint8Array): void {
    const page = this.stock.find((each) => each.actor === actor);
    if (page === undefined) return;
    const frame = decodeFrame(data);
    if (frame.type !== "awareness") return;
    for (const { id, clock, state } of decodeEntries(frame.payload, {
      maxStateBytes: Infinity,
      maxEntries: Infinity,
    })) {
      if (state === null) continue;
      for (const { awareness } of page.rooms.values()) {
        if (awareness.clientID !== id) continue;
        const own = awareness.meta.get(id)?.clock ?? 0;
        if (clock > own) this.fail(`${actor.name} is told of itself at clock ${clock}, above its own ${own}`);
      }
    }
  }
}

export function tokensIn(update: Uint8Array): readonly string[] {
  return Buffer.from(update).toString("latin1").match(/<\d+>/g) ?? [];
}
