/**
 * The own session: who the user is, what this tab's activity says, what the user chose. It is what every connection of
 * this client announces.
 */
import { uuidv4 } from "lib0/random";
import {
  type Activity,
  type ActivitySignal,
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
import { RelayClock, monotonic } from "./browser/clock.ts";
import { type Page, noPage } from "./browser/page.ts";
import type { PresenceStorage } from "./browser/storage.ts";

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

/** What every connection of this client announces, and what changes it. */
export interface OwnSession {
  readonly id: string;
  /** [STATE-7] As it is announced: with a colour, if there was none, made from the id. */
  readonly user: UserInfo;
  /** The page is in view. */
  readonly visible: boolean;
  /** The same object for as long as nothing changed. */
  readonly status: OwnStatus;
  /** `change`: what is announced changed. `wake`: connections should be made sure of. `suspend`: given up until then. */
  on(type: "change" | "wake" | "suspend", listener: () => void): Unsubscribe;
  /** What a connection announces, with the metadata of its place. */
  announce<Meta>(meta: Meta): ConnectionState<Meta>;
  /** Chooses a status, or with `null` none, for all sessions of the user. */
  choose(status: ManualStatus | null): void;
  /** [SYNC-3] The relay says what time it is: what was dated by another clock is dated anew. */
  setTime(now: number): void;
  /** Takes a choice made in another session, if it is newer. [STATUS-4] */
  adopt(choice: ManualChoice): void;
  /** Takes the application's word on who the user is, for the fields given. */
  setUser(user: Partial<UserInfo>): void;
  /** Takes the relay's word on who the user is: it is what others see. What it said before holds no more. [AUTH-11] */
  bind(user: Partial<UserInfo>): void;
  /** [ACT-7] The user did something here, though the page heard no input: wrote in a document, moved a cursor. */
  active(): void;
  /** Another connection speaks for this session and both live: a duplicated tab, which gets an id of its own. [OWN-5] */
  renew(): void;
  stop(): void;
}

const SESSION_KEY = "copresence:session";
/** Before the user's id: where the choice of status is kept. */
const CHOICE_KEY = "copresence:status:";
/** What an active user does is taken notice of at most once in this time, ms. */
const ACTIVE_EVERY_MS = 1_000;
/** setTimeout takes no more. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export function createSession(options: OwnSessionOptions): OwnSession {
  const { device, page, policy, tab, local, clock = new RelayClock() } = options;
  const emitter = new Emitter<{ change: null; wake: null; suspend: null }>();
  const isMobile = device === "mobile" || device === "tablet";
  /** Who the user is by the application's word. */
  let said = options.user;
  /** What the relay knows of the user: it holds, whatever else is said. */
  let bound: Partial<UserInfo> = {};
  /** Who the user is to everybody. */
  let user = said;
  /** The same as it is announced. */
  let shown = withColor(user);
  let id = tab.get(SESSION_KEY) ?? newId();
  let activity: Activity = { page: page.visible ? "visible" : "hidden", at: monotonic() };
  /** When the status last changed, monotonic ms. */
  let since = activity.at;
  let choice = storedChoice();
  /** The choice was made, or heard of, since the page was loaded. */
  let isFresh = false;
  /** It is dated by this device's clock: it was made before the relay had said what time it is. */
  let isOwnDate = false;
  let status: OwnStatus = { auto: "online", manual: choice?.status ?? null };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;

  const unsubscribe = page.subscribe((signal) => {
    if (signal === "wake" || signal === "suspend") emitter.emit(signal, null);
    else onActivity(signal);
  });
  schedule();

  function newId(): string {
    // that of `crypto` itself is missing where the page is not served securely
    const made = `s_${uuidv4().replaceAll("-", "")}`;
    tab.set(SESSION_KEY, made);
    return made;
  }

  /** [SYNC-4] A choice from ahead of the relay's time counts as made now: else none that is made now would count. */
  function timely(made: ManualChoice): ManualChoice {
    return clock.isKnown ? { ...made, at: Math.min(made.at, clock.at()) } : made;
  }

  /** The choice that the user made before this page was loaded. [STATUS-4] */
  function storedChoice(): ManualChoice | null {
    try {
      const stored = readManual(JSON.parse(local.get(CHOICE_KEY + user.id) ?? "null"));
      return stored && timely(stored);
    } catch {
      return null;
    }
  }

  function keep(made: ManualChoice): void {
    choice = made;
    local.set(CHOICE_KEY + user.id, JSON.stringify(made));
  }

  function adopt(made: ManualChoice): void {
    if (newerManual(choice, made) !== made) return;
    isFresh = true;
    keep(made);
    changed();
  }

  function refreshUser(): void {
    const next = { ...said, ...bound };
    if (equal(user, next)) return;
    const isOther = user.id !== next.id;
    user = next;
    shown = withColor(user);
    if (isOther) {
      // what was stored for the one before is not theirs
      const stored = storedChoice();
      choice = newerManual(stored, isFresh ? choice : null);
      if (choice !== null && choice !== stored) keep(choice);
    }
    changed();
  }

  function onActivity(signal: ActivitySignal): void {
    activity = onSignal(activity, signal, monotonic());
    update();
  }

  function update(): void {
    const now = monotonic();
    const auto = statusAt(activity, policy, isMobile, now);
    if (auto !== status.auto) {
      since = now;
      changed(auto);
    }
    schedule();
  }

  /** Looks again when the activity, left alone, becomes `away`. */
  function schedule(): void {
    clearTimeout(timer);
    // without a page nobody can be seen to be idle
    if (isStopped || status.auto === "away" || page === noPage) return;
    const waitMs = awayAt(activity, policy, isMobile) - monotonic();
    timer = setTimeout(update, Math.min(MAX_TIMEOUT_MS, Math.max(0, waitMs)));
  }

  function changed(auto: AutoStatus = status.auto): void {
    const next: OwnStatus = { auto, manual: choice?.status ?? null };
    if (!equal(status, next)) status = next;
    emitter.emit("change", null);
  }

  return {
    get id() {
      return id;
    },
    get user() {
      return shown;
    },
    get visible() {
      return activity.page === "visible";
    },
    get status() {
      return status;
    },
    on: (type, listener) => emitter.on(type, listener),
    announce: (meta) => ({
      user: shown,
      copresence: {
        session: id,
        status: status.auto,
        device,
        since: clock.at(since),
        meta,
        // last, where a change of the session puts what was not there before [LINK-13]
        ...(choice !== null && { manual: choice }),
      },
    }),
    choose(chosen) {
      // [STATUS-8]
      if (readManual({ status: chosen, at: 0 }) === null) throw new RangeError(`no status to choose: ${chosen}`);
      // [STATUS-3] above all choices seen, so that a device whose clock is slow can still change it
      const at = Math.max(clock.at(), (choice?.at ?? -1) + 1);
      isOwnDate = !clock.isKnown;
      adopt({ status: chosen, at });
    },
    setTime(now) {
      const shiftMs = clock.learn(now);
      const dated = choice && timely({ ...choice, at: choice.at + (isOwnDate ? (shiftMs ?? 0) : 0) });
      isOwnDate = false;
      if (shiftMs === null && dated?.at === choice?.at) return;
      if (dated !== null) keep(dated);
      changed();
    },
    adopt,
    setUser(change) {
      said = { ...said, ...change };
      refreshUser();
    },
    bind(known) {
      bound = known;
      refreshUser();
    },
    active() {
      if (status.auto === "away" || monotonic() - activity.at >= ACTIVE_EVERY_MS) onActivity("input");
    },
    renew() {
      id = newId();
      changed();
    },
    stop() {
      // the rooms are left after this, and what they take back is no activity
      isStopped = true;
      clearTimeout(timer);
      unsubscribe();
      emitter.clear();
    },
  };
}
