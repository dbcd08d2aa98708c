/**
 * The own session: who the user is, what this tab's activity says, what the user chose. It is what every connection of
 * this client announces.
 */
import { uuidv4 } from "lib0/random";
import {
  type Activity,
  type ActivityPolicy,
  type AutoStatus,
  type ConnectionState,
  type Device,
  Emitter,
  type ManualChoice,
  type ManualStatus,
  type Unsubscribe,
  type UserInfo,
  awayAt,
  equal,
  newerManual,
  onSignal,
  readManual,
  statusAt,
  withColor,
} from "../presence/index.ts";
import { RelayClock, monotonic } from "./clock.ts";
import { type Page, noPage } from "./page.ts";
import type { PresenceStorage } from "./storage.ts";

export interface OwnStatus {
  /** What the activity of this tab says. */
  readonly auto: AutoStatus;
  /** What the user chose, here or in another session. */
  readonly manual: ManualStatus | null;
}

export interface OwnSessionOptions {
  readonly user: UserInfo;
  readonly device: Device;
  readonly policy: ActivityPolicy;
  readonly page: Page;
  readonly tab: PresenceStorage;
  readonly local: PresenceStorage;
  /** The relay's clock. Default: one of its own. */
  readonly clock?: RelayClock;
}

const SESSION_KEY = "copresence:session";
/** What an active user does is taken notice of at most once in this time, ms. */
const ACTIVE_EVERY_MS = 1_000;
/** setTimeout takes no more. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export class OwnSession {
  readonly device: Device;
  readonly #options: OwnSessionOptions;
  readonly #clock: RelayClock;
  readonly #emitter = new Emitter<{ change: null; wake: null; suspend: null }>();
  readonly #unsubscribe: Unsubscribe;
  #id: string;
  /** Who the user is by the application's word. */
  #said: UserInfo;
  /** Who the user is to everybody: what the relay knows, and of what it does not know, what the application said. */
  #user: UserInfo;
  /** What the relay knows of the user: it holds, whatever else is said. */
  #bound: Partial<UserInfo> = {};
  #activity: Activity;
  /** When the status last changed, monotonic ms. */
  #since: number;
  #choice: ManualChoice | null;
  /** The choice was made, or heard of, since the page was loaded. */
  #isFresh = false;
  /** It is dated by this device's clock: it was made before the relay had said what time it is. */
  #isOwnDate = false;
  #status: OwnStatus;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: OwnSessionOptions) {
    const now = monotonic();
    this.#options = options;
    this.#clock = options.clock ?? new RelayClock();
    this.device = options.device;
    this.#said = options.user;
    this.#user = options.user;
    this.#id = options.tab.get(SESSION_KEY) ?? this.#newId();
    this.#activity = { page: options.page.visible ? "visible" : "hidden", at: now };
    this.#since = now;
    this.#choice = this.#storedChoice();
    this.#status = { auto: "online", manual: this.#choice?.status ?? null };
    this.#unsubscribe = options.page.subscribe((signal) => {
      if (signal === "wake" || signal === "suspend") return this.#emitter.emit(signal, null);
      this.#activity = onSignal(this.#activity, signal, monotonic());
      this.#update();
    });
    this.#schedule();
  }

  get id(): string {
    return this.#id;
  }

  /** [STATE-7] As it is announced: with a colour, if there was none, made from the id. */
  get user(): UserInfo {
    return withColor(this.#user);
  }

  /** As the application and the relay have it. */
  get givenUser(): UserInfo {
    return this.#user;
  }

  /** The page is in view. */
  get visible(): boolean {
    return this.#activity.page === "visible";
  }

  /** The same object for as long as nothing changed. */
  get status(): OwnStatus {
    return this.#status;
  }

  /** `change`: what is announced changed. `wake`: connections should be made sure of. `suspend`: given up until then. */
  on(type: "change" | "wake" | "suspend", listener: () => void): Unsubscribe {
    return this.#emitter.on(type, listener);
  }

  /** What a connection announces, with the metadata of its place. */
  announce<Meta>(meta: Meta): ConnectionState<Meta> {
    return {
      user: this.user,
      copresence: {
        session: this.#id,
        status: this.#status.auto,
        ...(this.#choice !== null && { manual: this.#choice }),
        device: this.device,
        since: this.#clock.at(this.#since),
        meta,
      },
    };
  }

  /** Chooses a status, or with `null` none, for all sessions of the user. */
  choose(status: ManualStatus | null): void {
    // above all choices seen, so that a device whose clock is slow can still change it
    const at = Math.max(this.#clock.at(), (this.#choice?.at ?? -1) + 1);
    this.#isOwnDate = !this.#clock.isKnown;
    this.adopt({ status, at });
  }

  /** [SYNC-3] The relay says what time it is: what was dated by another clock is dated anew. */
  setTime(now: number): void {
    const shiftMs = this.#clock.learn(now);
    const choice = this.#choice;
    const dated = choice && this.#timely({ ...choice, at: choice.at + (this.#isOwnDate ? (shiftMs ?? 0) : 0) });
    this.#isOwnDate = false;
    if (shiftMs === null && dated?.at === choice?.at) return;
    if (dated !== null) this.#keep(dated);
    this.#changed();
  }

  /** [SYNC-4] A choice from ahead of the relay's time counts as made now: else none that is made now would count. */
  #timely(choice: ManualChoice): ManualChoice {
    return this.#clock.isKnown ? { ...choice, at: Math.min(choice.at, this.#clock.at()) } : choice;
  }

  /** Takes a choice made in another session, if it is newer. */
  adopt(choice: ManualChoice): void {
    if (newerManual(this.#choice, choice) !== choice) return;
    this.#isFresh = true;
    this.#keep(choice);
    this.#changed();
  }

  /** Takes the application's word on who the user is, for the fields given. */
  setUser(user: Partial<UserInfo>): void {
    this.#said = { ...this.#said, ...user };
    this.#refreshUser();
  }

  #refreshUser(): void {
    const next = { ...this.#said, ...this.#bound };
    if (equal(this.#user, next)) return;
    const isOther = this.#user.id !== next.id;
    this.#user = next;
    if (isOther) this.#takeStoredChoice();
    this.#changed();
  }

  /** The user is another than was said at first: what was stored for that one is not theirs. */
  #takeStoredChoice(): void {
    const stored = this.#storedChoice();
    const made = this.#isFresh ? this.#choice : null;
    this.#choice = newerManual(stored, made);
    if (this.#choice !== null && this.#choice !== stored) this.#keep(this.#choice);
  }

  #keep(choice: ManualChoice): void {
    this.#choice = choice;
    this.#options.local.set(this.#choiceKey, JSON.stringify(choice));
  }

  /** Takes the relay's word on who the user is: it is what others see. What it said before holds no more. [AUTH-11] */
  bind(user: Partial<UserInfo>): void {
    this.#bound = user;
    this.#refreshUser();
  }

  /** [ACT-7] The user did something here, though the page heard no input: wrote in a document, moved a cursor. */
  active(): void {
    const now = monotonic();
    if (this.#status.auto === "online" && now - this.#activity.at < ACTIVE_EVERY_MS) return;
    this.#activity = onSignal(this.#activity, "input", now);
    this.#update();
  }

  /** Another connection speaks for this session and both live: a duplicated tab, which gets an id of its own. */
  renew(): void {
    this.#id = this.#newId();
    this.#changed();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#unsubscribe();
    this.#emitter.clear();
  }

  get #choiceKey(): string {
    return `copresence:status:${this.#user.id}`;
  }

  get #mobile(): boolean {
    return this.device === "mobile" || this.device === "tablet";
  }

  #newId(): string {
    // that of `crypto` itself is missing where the page is not served securely
    const id = `s_${uuidv4().replaceAll("-", "")}`;
    this.#options.tab.set(SESSION_KEY, id);
    return id;
  }

  #storedChoice(): ManualChoice | null {
    const stored = this.#options.local.get(this.#choiceKey);
    if (stored === null) return null;
    try {
      const choice = readManual(JSON.parse(stored));
      return choice && this.#timely(choice);
    } catch {
      return null;
    }
  }

  #update(): void {
    const now = monotonic();
    const auto = statusAt(this.#activity, this.#options.policy, this.#mobile, now);
    if (auto !== this.#status.auto) {
      this.#since = now;
      this.#changed(auto);
    }
    this.#schedule();
  }

  /** Looks again when the activity, left alone, becomes `away`. */
  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // without a page nobody can be seen to be idle
    if (this.#status.auto === "away" || this.#options.page === noPage) return;
    const wait = awayAt(this.#activity, this.#options.policy, this.#mobile) - monotonic();
    this.#timer = setTimeout(() => this.#update(), Math.min(MAX_TIMEOUT_MS, Math.max(0, wait)));
  }

  #changed(auto: AutoStatus = this.#status.auto): void {
    const status: OwnStatus = { auto, manual: this.#choice?.status ?? null };
    if (!equal(this.#status, status)) this.#status = status;
    this.#emitter.emit("change", null);
  }
}
