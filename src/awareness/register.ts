/**
 * The register of a room: what is known of each client id, and who owns it. Pure but for its own contents: no socket, no
 * timer, and time comes in. A frame is read and checked whole, against everything that can refuse it, before anything is
 * written; what it brings about is returned as a list of changes.
 */
import { equal } from "../presence/index.ts";
import {
  type Entry as SaidEntry,
  FrameError,
  PERSON,
  type StateBytes,
  type StateChange,
  StateTooLargeError,
  checkClock,
  decodeEntries,
  isLobby,
  patchState,
  readStateBytes,
  sameBytes,
} from "../wire/index.ts";
import type { Author } from "./author.ts";
import {
  type AuthorRecord,
  type DepartedEntry,
  type Entry,
  type ExpectedEntry,
  type PresentEntry,
  isPresent,
  isStockSession,
  sessionKey,
} from "./entry.ts";
import { DEPARTED_BYTES, SMALL_STATE_BYTES, StateMemory, weightOf } from "./memory.ts";
import { type Speaker, type Verdict, isOwn, mayBeNews, verdictOn } from "./ownership.ts";
import { type Published, checkMeta, claimedUser, publish } from "./publish.ts";

/** What a frame, or a loss, brought about; to be acted on in order. */
export type Change =
  /** A client id is here that was not, with its first state. */
  | { readonly type: "entered"; readonly entry: PresentEntry }
  /** A client id has another owner, or none: its connection was lost. */
  | { readonly type: "claimed"; readonly entry: PresentEntry }
  /** A state says something else in these fields. */
  | { readonly type: "changed"; readonly entry: PresentEntry; readonly fields: ReadonlySet<string> }
  /** The state says something else of its user or session. */
  | { readonly type: "renamed"; readonly entry: PresentEntry }
  | { readonly type: "left"; readonly entry: PresentEntry }
  /** A newer connection speaks for a session of this author. */
  | { readonly type: "superseded"; readonly author: Author; readonly session: string }
  /** A stock client is back while its old connection still seems open: it has dropped all that it saw. */
  | { readonly type: "returned"; readonly author: Author }
  /** The client id that this author means to be is somebody else's. */
  | { readonly type: "taken"; readonly author: Author; readonly id: number };

const NO_CHANGES: readonly Change[] = [];
const NO_FIELDS: ReadonlySet<string> = new Set();

/** How long departed ids are remembered, ms: longer than anything stays in flight. */
const DEPARTED_MS = 120_000;
/** So many ids that were lost are kept for their users beyond that, until the room is empty: those that were lost last. */
const MAX_EXPECTED = 1_000;
/** How many states a message may speak of besides those that are known: a sibling tab knows some from elsewhere. */
const SPARE_ENTRIES = 1_000;

export interface RegisterLimits {
  /** Largest state, bytes. */
  readonly maxState: number;
  /** Most ids that one connection may own; a relay any number. */
  readonly maxStates: number;
  /** Largest metadata of a session, bytes. */
  readonly maxMeta: number;
}

/** Throws a `FrameError` if these users may not be brought into the lobby by this author. */
export type AdmitUsers = (author: Author, lobby: string, userIds: ReadonlySet<string>) => void;

/** What an awareness message says that may be news. */
export interface Reading {
  readonly entries: readonly SaidEntry[];
  /** It also holds states of others: its author says back what it hears. */
  readonly echoes: boolean;
}

/** A moment: in ms that only go forward, and as a date (ms since the epoch) that is never before an earlier moment's. */
export interface Moment {
  readonly now: number;
  readonly date: number;
}

/** One id of a message, read and checked. */
interface Plan {
  readonly id: number;
  readonly clock: number;
  /** null: its author takes it back. */
  readonly published: Published | null;
  readonly claimedUser: string | undefined;
}

export class Register {
  readonly #room: string;
  readonly #limits: RegisterLimits;
  readonly #admitUsers: AdmitUsers;
  readonly #memory: StateMemory;
  readonly #entries = new Map<number, Entry>();
  readonly #records = new Map<Author, AuthorRecord>();
  // indexes of the entries
  #count = 0;
  readonly #bySession = new Map<string, PresentEntry[]>();
  /** Who departed, the longest ago first. */
  readonly #departed = new Set<DepartedEntry>();
  /** Who is expected, the longest ago first. */
  readonly #expected = new Set<ExpectedEntry>();

  /** @param memory what the states of all rooms take; default: they may take any memory */
  constructor(room: string, limits: RegisterLimits, admitUsers: AdmitUsers, memory: StateMemory = new StateMemory(0)) {
    this.#room = room;
    this.#limits = limits;
    this.#admitUsers = admitUsers;
    this.#memory = memory;
  }

  /** How many ids are here. */
  get size(): number {
    return this.#count;
  }

  /** How many ids are here or remembered. */
  get known(): number {
    return this.#entries.size;
  }

  /** The ids that are here. */
  *present(): Generator<PresentEntry> {
    for (const entry of this.#entries.values()) if (isPresent(entry)) yield entry;
  }

  get(id: number): PresentEntry | undefined {
    const entry = this.#entries.get(id);
    return isPresent(entry) ? entry : undefined;
  }

  /** The ids that an author owns. */
  ownedBy(author: Author): readonly PresentEntry[] {
    return this.#records.get(author)?.owned ?? [];
  }

  /** A stock client answered what it was asked first of all: from now on it may say back what it hears. Returns whether that is news. */
  answered(author: Author): boolean {
    const record = this.#record(author);
    if (record.echoes || author.kind !== "stock") return false;
    record.echoes = true;
    return true;
  }

  /** Reads an awareness message, and leaves out of it what cannot be news. Throws `FrameError`. */
  read(author: Author, payload: Uint8Array): Reading {
    const speaker = this.#speaker(author);
    let echoes = false;
    const isAcceptable = (id: number, clock: number, isGone: boolean): boolean => {
      const entry = this.#entries.get(id);
      // a state of somebody else's is an echo, and who echoes does so for as long as they read
      if (!isGone && isPresent(entry) && entry.owner !== author) echoes = true;
      return mayBeNews(entry, speaker, clock, isGone);
    };
    // what a state may weigh is checked of those that are taken; of an echo only how many it may be
    const limits = { maxStateBytes: Infinity, maxEntries: 2 * this.#entries.size + SPARE_ENTRIES };
    const entries = decodeEntries(payload, limits, isAcceptable);
    return { entries, echoes };
  }

  /** Takes what an author says of its own ids, and nothing of what it says of others'. Throws `FrameError` before it writes. */
  apply(author: Author, said: readonly SaidEntry[], at: Moment): readonly Change[] {
    if (said.length === 0) return NO_CHANGES;
    const plans = this.#plan(author, said, at.date);
    const changes: Change[] = [];
    for (const plan of plans) this.#commit(author, plan, at.now, changes);
    return changes;
  }

  /**
   * Takes what an author changes about an own id. Returns null when the id is not known as the author's: it must say its
   * state whole. Throws `FrameError` before it writes.
   */
  patch(author: Author, id: number, clock: number, patch: Uint8Array, at: Moment): readonly Change[] | null {
    const entry = this.get(id);
    if (entry?.owner !== author) return null;
    checkClock(clock);
    if (clock <= entry.clock) return NO_CHANGES;
    const { maxState } = this.#limits;
    // what changes more than all of it had better say it whole
    if (patch.length > 2 * maxState) throw new StateTooLargeError(maxState);
    const change = patchState(patch, entry.authoredState);
    if (change.state.size > maxState) throw new StateTooLargeError(maxState);
    const published = this.#publish(author, id, change, entry, at.date);
    if (published.claim.user.id !== entry.claim.user.id) {
      this.#admitUsers(author, entry.lobby, new Set([published.claim.user.id]));
    }
    this.#admitBytes(author, this.#growth(entry, published));
    const changes: Change[] = [];
    this.#commit(author, { id, clock, published, claimedUser: undefined }, at.now, changes);
    return changes;
  }

  /** Sets a state of the relay's own. */
  setOwn(id: number, state: StateBytes): Change {
    const known = this.get(id);
    const change = { state, changed: new Set(state.fields.keys()) };
    const published = publish(change, {
      id,
      room: this.#room,
      stamp: null,
      before: known,
      isOwn: true,
      date: Infinity,
    });
    const entry = known ?? this.#add(id, 0, published, null, "", 0);
    entry.visible = true;
    entry.authoredState = state;
    entry.publishedState = state;
    return { type: "changed", entry, fields: change.changed };
  }

  /** Takes an entry out. */
  remove(entry: PresentEntry, now: number): readonly Change[] {
    if (this.#entries.get(entry.id) !== entry) return NO_CHANGES;
    const changes: Change[] = [];
    this.#remove(entry, now, changes);
    return changes;
  }

  /** Forgets a connection that is gone. What it still owns waits without an owner. */
  orphan(author: Author, lastSeen: number): readonly Change[] {
    const owned = [...this.ownedBy(author)];
    this.#records.delete(author);
    return owned.map((entry) => {
      entry.owner = null;
      entry.phase = "orphaned";
      entry.lastSeen = lastSeen;
      return { type: "claimed", entry };
    });
  }

  /** Forgets ids that left long ago. */
  sweep(now: number): void {
    for (const departed of this.#departed) {
      if (departed.at > now - DEPARTED_MS) break;
      this.#forget(departed);
      if (departed.user !== null) this.#expect(departed.id, departed.user);
    }
  }

  /** Forgets everybody: the room is closed. */
  close(): void {
    for (const entry of this.present()) this.#memory.changed(entry.address, -entry.weight);
    for (const { address } of this.#departed) this.#memory.changed(address, -DEPARTED_BYTES);
    this.#entries.clear();
    this.#departed.clear();
  }

  /** Makes the states small of those who have said nothing since then. */
  fold(since: number): void {
    for (const { lastSeen, publishedState, authoredState } of this.present()) {
      if (lastSeen >= since) continue;
      publishedState.fold();
      authoredState.fold();
    }
  }

  /** Reads and checks the message whole. Throws `FrameError`. */
  #plan(author: Author, said: readonly SaidEntry[], date: number): Iterable<Plan> {
    // of one id that is said twice, the last counts
    const plans = new Map<number, Plan>();
    const newUsers = new Set<string>();
    let { ownsAny } = this.#speaker(author);
    let owned = this.ownedBy(author).length;
    let growth = 0;
    for (const each of said) {
      const entry = this.#entries.get(each.id);
      const speaker = { ...this.#speaker(author), ownsAny };
      if (!mayBeNews(entry, speaker, each.clock, each.state === null)) continue;
      const plan = this.#read(author, each, entry, date);
      plans.set(each.id, plan);
      if (plan.published === null) continue;
      const { claim } = plan.published;
      const verdict = this.#verdict(entry, speaker, plan, plan.published);
      const isNew = verdict === "introduce" || verdict === "claim";
      if (isNew) {
        owned++;
        if (verdict === "introduce") this.#checkCount(speaker, entry, owned);
        ownsAny = true;
      }
      if (verdict !== "drop" && verdict !== "taken") growth += this.#growth(entry, plan.published);
      if (isNew || (verdict === "update" && isPresent(entry) && entry.claim.user.id !== claim.user.id)) {
        newUsers.add(claim.user.id);
      }
    }
    this.#admitBytes(author, growth);
    if (newUsers.size > 0) this.#admitUsers(author, author.access.lobby, newUsers);
    return plans.values();
  }

  #read(author: Author, { id, clock, state }: SaidEntry, entry: Entry | undefined, date: number): Plan {
    const gone: Plan = { id, clock, published: null, claimedUser: undefined };
    if (state === null) return gone;
    const before = isPresent(entry) ? entry : undefined;
    const isOwned = before?.owner === author || author.access.user === null;
    if (before !== undefined && isOwned && sameBytes(before.authoredState.whole, state)) {
      const { authoredState: authored, publishedState, claim, corrected } = before;
      const published = { authored, state: publishedState, changed: NO_FIELDS, claim, corrected };
      return { id, clock, published, claimedUser: claim.user.id };
    }
    const { maxState } = this.#limits;
    if (state.length > maxState) throw new StateTooLargeError(maxState);
    const change = readStateBytes(state, before?.authoredState);
    // in a lobby states are announcements, and a stock reader's empty one announces nobody [LOBBY-3]
    if (change === null || (isLobby(this.#room) && change.state.fields.size === 0)) return gone;
    const published = this.#publish(author, id, change, before, date);
    return { id, clock, published, claimedUser: claimedUser(published.authored) };
  }

  #publish(author: Author, id: number, change: StateChange, before: PresentEntry | undefined, date: number): Published {
    if (change.changed.has("copresence")) checkMeta(change.state, this.#limits.maxMeta);
    const isOwned = before?.owner === author;
    return publish(change, { id, room: this.#room, stamp: author.access.user, before, isOwn: isOwned, date });
  }

  #verdict(entry: Entry | undefined, speaker: Speaker, plan: Plan, { claim }: Published): Verdict {
    const key = sessionKey(claim, speaker.author.access.lobby);
    const isSuperseded = speaker.record?.superseded?.has(key) === true && this.#bySession.has(key);
    return verdictOn(entry, speaker, { claim, claimedUser: plan.claimedUser, isSuperseded });
  }

  /** How many bytes more there would be; 0: of no account. */
  #growth(entry: Entry | undefined, { authored, state }: Published): number {
    const weight = weightOf(authored, state);
    if (!isPresent(entry)) return weight;
    return weight <= SMALL_STATE_BYTES ? 0 : Math.max(0, weight - entry.weight);
  }

  /** [LIMIT-9] Throws `FrameError`. */
  #admitBytes({ address }: Author, growth: number): void {
    if (growth > 0) this.#memory.admit(address, growth);
  }

  #weigh(entry: PresentEntry): void {
    const weight = weightOf(entry.authoredState, entry.publishedState);
    this.#memory.changed(entry.address, weight - entry.weight);
    entry.weight = weight;
  }

  /** [OWN-10] What an author took back counts as what it has, for as long as that is remembered. Throws `FrameError`. */
  #checkCount(speaker: Speaker, entry: Entry | undefined, owned: number): void {
    const { maxStates } = this.#limits;
    if (speaker.author.kind === "relay") return;
    const isBack = entry?.phase === "departed" && isOwn(entry, speaker);
    if (owned <= maxStates && (isBack || (speaker.record?.departed ?? 0) < maxStates)) return;
    throw new FrameError(`more than ${maxStates} awareness states on one connection`);
  }

  /** Writes what was planned. Nothing refuses it any more; but what came before it in the message may have settled it. */
  #commit(author: Author, plan: Plan, now: number, changes: Change[]): void {
    const { id, clock, published } = plan;
    const entry = this.#entries.get(id);
    const speaker = this.#speaker(author);
    if (!mayBeNews(entry, speaker, clock, published === null)) return;
    if (published === null) return this.#takeBack(entry, clock, now, changes);
    const verdict = this.#verdict(entry, speaker, plan, published);
    switch (verdict) {
      case "introduce":
        return this.#introduce(author, entry, plan, published, now, changes);
      case "update":
        return isPresent(entry) ? this.#update(entry, clock, published, now, changes) : undefined;
      case "claim":
        return isPresent(entry) ? this.#claim(author, entry, clock, published, now, changes) : undefined;
      case "taken":
        changes.push({ type: "taken", author, id });
        return;
      case "drop":
        return;
    }
  }

  #takeBack(entry: Entry | undefined, clock: number, now: number, changes: Change[]): void {
    if (!isPresent(entry)) return;
    entry.clock = clock;
    entry.lastSeen = now;
    this.#remove(entry, now, changes);
  }

  #introduce(
    author: Author,
    before: Entry | undefined,
    { id, clock }: Plan,
    published: Published,
    now: number,
    changes: Change[],
  ): void {
    const publication = before?.phase === "departed" ? before.publication : null;
    if (before?.phase === "departed") this.#forget(before);
    if (before?.phase === "expected") this.#expected.delete(before);
    const entry = this.#add(id, clock, published, author, author.access.lobby, now);
    entry.publication = publication;
    if (publication !== null) publication.entry = entry;
    changes.push({ type: "entered", entry });
    this.#takeOver(entry, now, changes);
  }

  #update(entry: PresentEntry, clock: number, published: Published, now: number, changes: Change[]): void {
    const { authored, state, changed, claim, corrected } = published;
    entry.authoredState = authored;
    entry.lastSeen = now;
    entry.clock = clock;
    // a renewal: observers are told in due time
    if (changed.size === 0) return;
    entry.publishedState = state;
    this.#weigh(entry);
    entry.corrected = corrected;
    const isRenamed = entry.claim !== claim && !equal(entry.claim, claim);
    if (isRenamed) {
      this.#unindex(entry);
      entry.claim = claim;
      this.#index(entry);
      changes.push({ type: "renamed", entry });
    }
    changes.push({ type: "changed", entry, fields: changed });
    if (isRenamed) this.#takeOver(entry, now, changes);
  }

  /** [OWN-3] The id goes over to a connection that speaks as the same user and session. */
  #claim(
    author: Author,
    entry: PresentEntry,
    clock: number,
    published: Published,
    now: number,
    changes: Change[],
  ): void {
    const { owner } = entry;
    this.#disown(entry);
    this.#own(entry, author);
    if (owner !== null && author.kind === "native") {
      // if the old connection lives, it is a duplicated tab, and must not take the id back
      this.#supersede(this.#record(owner), sessionKey(entry.claim, entry.lobby));
      changes.push({ type: "superseded", author: owner, session: entry.claim.session.id });
    }
    changes.push({ type: "claimed", entry });
    this.#update(entry, clock, published, now, changes);
    this.#takeOver(entry, now, changes);
    if (owner !== null && author.kind === "stock") changes.push({ type: "returned", author });
  }

  /** [OWN-4] The moment a session speaks through a new connection, what it said through an old one is void. */
  #takeOver(entry: PresentEntry, now: number, changes: Change[]): void {
    if (entry.owner === null || isStockSession(entry.claim)) return;
    const key = sessionKey(entry.claim, entry.lobby);
    for (const other of this.#bySession.get(key)?.slice() ?? []) {
      if (other === entry || other.owner === entry.owner) continue;
      const { owner } = other;
      this.#remove(other, now, changes);
      if (owner === null) continue;
      this.#supersede(this.#record(owner), key);
      changes.push({ type: "superseded", author: owner, session: entry.claim.session.id });
    }
  }

  #supersede(record: AuthorRecord, key: string): void {
    // of those that nobody holds any more nothing is to be known
    const held = [...(record.superseded ?? [])].filter((each) => this.#bySession.has(each));
    record.superseded = new Set([...held, key]);
  }

  #add(
    id: number,
    clock: number,
    { authored, state, claim, corrected }: Published,
    owner: Author | null,
    lobby: string,
    now: number,
  ): PresentEntry {
    const entry: PresentEntry = {
      phase: "live",
      id,
      room: this.#room,
      clock,
      authoredState: authored,
      publishedState: state,
      weight: 0,
      claim,
      lobby,
      address: owner?.address ?? "",
      owner: null,
      user: null,
      lastSeen: now,
      corrected,
      isStock: owner?.kind === "stock",
      visible: false,
      mark: "clear",
      publication: null,
    };
    this.#entries.set(id, entry);
    this.#weigh(entry);
    this.#count++;
    this.#index(entry);
    if (owner !== null) this.#own(entry, owner);
    return entry;
  }

  #remove(entry: PresentEntry, now: number, changes: Change[]): void {
    const { id, clock, owner, user, publication } = entry;
    const by = owner === null ? null : this.#record(owner);
    this.#unindex(entry);
    this.#disown(entry);
    this.#count--;
    const departed: DepartedEntry = {
      phase: "departed",
      id,
      clock,
      by,
      user: by === null ? user : null,
      address: entry.address,
      at: now,
      publication,
    };
    if (by !== null) by.departed++;
    if (publication !== null) publication.entry = null;
    this.#entries.set(id, departed);
    this.#departed.add(departed);
    this.#memory.changed(entry.address, DEPARTED_BYTES - entry.weight);
    entry.weight = 0;
    changes.push({ type: "left", entry });
  }

  #forget(departed: DepartedEntry): void {
    if (this.#departed.delete(departed)) this.#memory.changed(departed.address, -DEPARTED_BYTES);
    if (this.#entries.get(departed.id) === departed) this.#entries.delete(departed.id);
    if (departed.by !== null) departed.by.departed--;
  }

  #expect(id: number, user: string): void {
    const expected: ExpectedEntry = { phase: "expected", id, user };
    this.#entries.set(id, expected);
    this.#expected.add(expected);
    if (this.#expected.size <= MAX_EXPECTED) return;
    for (const first of this.#expected) {
      this.#expected.delete(first);
      this.#entries.delete(first.id);
      return;
    }
  }

  #own(entry: PresentEntry, author: Author): void {
    entry.owner = author;
    entry.phase = "live";
    entry.user = author.access.user?.id ?? null;
    const record = this.#record(author);
    // what is pushed to an empty array makes it one of seventeen
    if (record.owned.length === 0) record.owned = [entry];
    else record.owned.push(entry);
  }

  #disown(entry: PresentEntry): void {
    const owned = entry.owner === null ? undefined : this.#records.get(entry.owner)?.owned;
    if (owned !== undefined) drop(owned, entry);
  }

  #speaker(author: Author): Speaker {
    const record = this.#records.get(author) ?? null;
    return { author, record, ownsAny: (record?.owned.length ?? 0) > 0 };
  }

  #record(author: Author): AuthorRecord {
    let record = this.#records.get(author);
    if (record === undefined) {
      record = { owned: [], departed: 0, echoes: false, superseded: null };
      this.#records.set(author, record);
    }
    return record;
  }

  #index(entry: PresentEntry): void {
    const key = sessionKey(entry.claim, entry.lobby);
    const entries = this.#bySession.get(key);
    if (entries === undefined) this.#bySession.set(key, [entry]);
    else entries.push(entry);
  }

  #unindex(entry: PresentEntry): void {
    const key = sessionKey(entry.claim, entry.lobby);
    const entries = this.#bySession.get(key);
    if (entries === undefined) return;
    drop(entries, entry);
    if (entries.length === 0) this.#bySession.delete(key);
  }
}

/** Whether fields that changed are more than those that say who a state is from: its cursor, say. */
export function isMove(fields: ReadonlySet<string>): boolean {
  for (const name of fields) if (!PERSON.has(name)) return true;
  return false;
}

function drop<T>(from: T[], item: T): void {
  const at = from.indexOf(item);
  if (at >= 0) from.splice(at, 1);
}
