/**
 * Plans what a message changes. The message is read and checked whole before anything of it is written. It may be refused for its bytes,
 * for the number of ids or the memory of its author, or for the users that it would bring into a lobby. Nothing here writes. [WIRE-11]
 */
import {
  type Entry as SaidEntry,
  FrameError,
  type SessionChange,
  type StateChange,
  StateTooLargeError,
  changeSession,
  isLobby,
  patchState,
  readStateBytes,
  sameBytes,
} from "../wire/index.ts";
import type { Author } from "./author.ts";
import type { Entries } from "./entries.ts";
import { type Entry, type PresentEntry, isPresent, sessionKey } from "./entry.ts";
import type { AdmitUsers, RegisterLimits } from "./limits.ts";
import { type StateMemory, growthOf } from "./memory.ts";
import { type Speaker, type Verdict, isOwn, mayBeNews, verdictOn } from "./ownership.ts";
import { type Published, checkMeta, claimedUser, publish } from "./publish.ts";

const NO_FIELDS: ReadonlySet<string> = new Set();

/** One id of a message, read and checked. */
export interface Plan {
  readonly id: number;
  readonly clock: number;
  /** null: its author takes it back. */
  readonly published: Published | null;
}

export interface PlannerSetup {
  readonly room: string;
  readonly limits: RegisterLimits;
  readonly admitUsers: AdmitUsers;
  readonly memory: StateMemory;
}

export class Planner {
  readonly #entries: Entries;
  readonly #setup: PlannerSetup;

  /** @param entries what is known of each client id: it is looked at, and not changed */
  constructor(entries: Entries, setup: PlannerSetup) {
    this.#entries = entries;
    this.#setup = setup;
  }

  /** Plans what an author says of client ids. Throws `FrameError`. */
  plan(author: Author, said: readonly SaidEntry[], date: number): Iterable<Plan> {
    // where a message names an id twice, the last counts
    const plans = new Map<number, Plan>();
    const brought = new Map<string, Set<string>>();
    let { ownsAny } = this.#entries.speaker(author);
    let owned = this.#entries.ownedBy(author).length;
    let growth = 0;
    let newIds = 0;
    for (const each of said) {
      const entry = this.#entries.get(each.id);
      const speaker = { ...this.#entries.speaker(author), ownsAny };
      if (!mayBeNews(entry, speaker, each.clock, each.state === null)) continue;
      const plan = this.#read(author, each, entry, date);
      plans.set(each.id, plan);
      if (plan.published === null) continue;
      const { claim } = plan.published;
      const verdict = this.verdict(entry, speaker, plan.published);
      if (verdict !== "drop" && verdict !== "taken") growth += growthOf(entry, plan.published);
      const isNew = verdict === "introduce" || verdict === "claim";
      if (isNew) {
        owned++;
        if (verdict === "introduce") this.#checkCount(speaker, entry, owned);
        ownsAny = true;
      }
      const isRenamed = verdict === "update" && isPresent(entry) && entry.claim.user.id !== claim.user.id;
      // a take-over is asked about, too: the user has a place already, but may have been banned since [API-24]
      if (!isNew && !isRenamed) continue;
      if (verdict === "introduce") newIds++;
      const sessions = brought.get(claim.user.id) ?? new Set();
      brought.set(claim.user.id, sessions.add(claim.session.id));
    }
    this.#admitBytes(author, growth);
    if (brought.size > 0) this.#setup.admitUsers(author, author.access.lobby, brought, newIds);
    return plans.values();
  }

  /** Plans what an author changes about an own entry. Throws `FrameError`. */
  planPatch(author: Author, entry: PresentEntry, clock: number, patch: Uint8Array, date: number): Plan {
    const { maxState } = this.#setup.limits;
    // a patch that is longer than any state has no use [PATCH-4]
    if (patch.length > 2 * maxState) throw new StateTooLargeError(maxState);
    const published = this.#planChange(author, entry, patchState(patch, entry.authoredState), date);
    return { id: entry.id, clock, published };
  }

  /** Plans what becomes of an own entry as its author's session changes. Throws `FrameError`. */
  planSession(author: Author, entry: PresentEntry, change: SessionChange, date: number): Published {
    return this.#planChange(author, entry, changeSession(change, entry.authoredState), date);
  }

  /** Decides about a state that was read, by what is known of its id now. */
  verdict(entry: Entry | undefined, speaker: Speaker, { claim, authored }: Published): Verdict {
    const superseded = speaker.record?.superseded ?? null;
    let isSuperseded = false;
    if (superseded !== null) {
      const key = sessionKey(claim, speaker.author.access.lobby);
      isSuperseded = superseded.has(key) && this.#entries.inSession(key).length > 0;
    }
    // to read the user takes long, and matters only where nobody has the id
    const named = isPresent(entry) ? undefined : claimedUser(authored);
    return verdictOn(entry, speaker, { claim, claimedUser: named, isSuperseded });
  }

  #planChange(author: Author, entry: PresentEntry, change: StateChange, date: number): Published {
    const { maxState } = this.#setup.limits;
    if (change.state.size > maxState) throw new StateTooLargeError(maxState);
    const published = this.#publish(author, entry.id, change, entry, date);
    const { user, session } = published.claim;
    if (user.id !== entry.claim.user.id) {
      this.#setup.admitUsers(author, entry.lobby, new Map([[user.id, new Set([session.id])]]), 0);
    }
    this.#admitBytes(author, growthOf(entry, published));
    return published;
  }

  #read(author: Author, { id, clock, state }: SaidEntry, entry: Entry | undefined, date: number): Plan {
    const gone: Plan = { id, clock, published: null };
    if (state === null) return gone;
    const before = isPresent(entry) ? entry : undefined;
    const isOwned = before?.owner === author || author.access.user === null;
    if (before !== undefined && isOwned && sameBytes(before.authoredState.whole, state)) {
      const { authoredState: authored, publishedState, claim, corrected } = before;
      const published = { authored, state: publishedState, changed: NO_FIELDS, claim, corrected };
      return { id, clock, published };
    }
    const { room, limits } = this.#setup;
    if (state.length > limits.maxState) throw new StateTooLargeError(limits.maxState);
    const change = readStateBytes(state, before?.authoredState);
    // in a lobby states are announcements, and a stock reader's empty one announces nobody [LOBBY-3]
    if (change === null || (isLobby(room) && change.state.fields.size === 0)) return gone;
    const published = this.#publish(author, id, change, before, date);
    return { id, clock, published };
  }

  #publish(author: Author, id: number, change: StateChange, before: PresentEntry | undefined, date: number): Published {
    const { room, limits } = this.#setup;
    if (change.changed.has("copresence")) checkMeta(change.state, limits.maxMeta);
    return publish(change, {
      id,
      room,
      stamp: author.access.user,
      before,
      isOwn: before?.owner === author,
      date,
      isServer: author.access.isServer,
    });
  }

  /** [OWN-10] Ids that an author took back count as its own for as long as they are remembered. Throws `FrameError`. */
  #checkCount(speaker: Speaker, entry: Entry | undefined, owned: number): void {
    const { maxStates } = this.#setup.limits;
    if (speaker.author.kind === "relay") return;
    const isBack = entry?.phase === "departed" && isOwn(entry, speaker);
    if (owned <= maxStates && (isBack || (speaker.record?.departed ?? 0) < maxStates)) return;
    throw new FrameError(`more than ${maxStates} awareness states on one connection`);
  }

  /** Throws a `FrameError` if the states from an address may not take so many bytes more. [WIRE-9] */
  #admitBytes({ address }: Author, growth: number): void {
    if (growth > 0) this.#setup.memory.admit(address, growth);
  }
}
