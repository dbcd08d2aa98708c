/**
 * The entries of a room's register, one for each client id, and the indexes over them. Nothing is decided here: the register says who may
 * speak for an id.
 */
import type { StateBytes } from "../wire/index.ts";
import type { Author } from "./author.ts";
import type { Change } from "./change.ts";
import {
  type AuthorRecord,
  type DepartedEntry,
  type Entry,
  type ExpectedEntry,
  type PresentEntry,
  isPresent,
  sessionKey,
} from "./entry.ts";
import { DEPARTED_BYTES, type StateMemory, weightOf } from "./memory.ts";
import type { Speaker } from "./ownership.ts";
import type { Published } from "./publish.ts";

/** How long departed ids are remembered, ms: longer than anything stays in flight. [OWN-6] */
const DEPARTED_MS = 120_000;
/** After that time, ids whose connections were lost are still kept for their users until the room is empty: so many, the last ones. [ID-4] */
const MAX_EXPECTED = 1_000;

export class Entries {
  readonly #room: string;
  readonly #memory: StateMemory;
  readonly #byId = new Map<number, Entry>();
  readonly #records = new Map<Author, AuthorRecord>();
  readonly #bySession = new Map<string, PresentEntry[]>();
  /** Departed ids, the longest ago first. */
  readonly #departed = new Set<DepartedEntry>();
  /** Expected ids, the longest ago first. */
  readonly #expected = new Set<ExpectedEntry>();
  #count = 0;

  constructor(room: string, memory: StateMemory) {
    this.#room = room;
    this.#memory = memory;
  }

  /** How many ids are here. */
  get size(): number {
    return this.#count;
  }

  /** How many ids are here or remembered. */
  get known(): number {
    return this.#byId.size;
  }

  *present(): Generator<PresentEntry> {
    for (const entry of this.#byId.values()) if (isPresent(entry)) yield entry;
  }

  get(id: number): Entry | undefined {
    return this.#byId.get(id);
  }

  ownedBy(author: Author): readonly PresentEntry[] {
    return this.#records.get(author)?.owned ?? [];
  }

  speaker(author: Author): Speaker {
    const record = this.#records.get(author) ?? null;
    return { author, record, ownsAny: (record?.owned.length ?? 0) > 0 };
  }

  record(author: Author): AuthorRecord {
    let record = this.#records.get(author);
    if (record === undefined) {
      record = {
        owned: [],
        departed: 0,
        echoes: author.echoing === "always",
        superseded: null,
      };
      this.#records.set(author, record);
    }
    return record;
  }

  /** Forgets a connection that is gone. Returns the entries that it owned: they wait without an owner. */
  orphan(author: Author, lastSeen: number): readonly PresentEntry[] {
    const owned = [...this.ownedBy(author)];
    this.#records.delete(author);
    for (const entry of owned) {
      entry.owner = null;
      entry.phase = "orphaned";
      entry.lastSeen = lastSeen;
    }
    return owned;
  }

  /** The entries of a session, by its key. */
  inSession(key: string): readonly PresentEntry[] {
    return this.#bySession.get(key) ?? [];
  }

  /**
   * Remembers that a newer connection speaks for the session of an entry, which this author must not take back. Returns what is told of
   * it. [OWN-5]
   *
   * @param id that the author had
   * @param elsewhere the newer connection is to another relay
   */
  supersede(author: Author, id: number, { claim, lobby }: PresentEntry, elsewhere: boolean): Change {
    const key = sessionKey(claim, lobby);
    const record = this.record(author);
    // sessions that no entry has any more need not be remembered
    const held = [...(record.superseded ?? [])].filter((each) => this.inSession(each).length > 0);
    record.superseded = new Set([...held, key]);
    return { type: "superseded", author, id, session: claim.session.id, elsewhere };
  }

  /** Adds an entry for an id. What was remembered of the id is forgotten, but for what observers were told. */
  add(
    id: number,
    clock: number,
    { authored, state, claim, corrected }: Published,
    owner: Author | null,
    lobby: string,
    now: number,
  ): PresentEntry {
    const before = this.#byId.get(id);
    const publication = before?.phase === "departed" ? before.publication : null;
    if (before?.phase === "departed") this.#forget(before);
    if (before?.phase === "expected") this.#expected.delete(before);
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
      isRemote: owner?.kind === "relay",
      heldAt: 0,
      remote: null,
      visible: false,
      mark: "clear",
      publication,
    };
    if (publication !== null) {
      publication.entry = entry;
      publication.isElsewhere = false;
    }
    this.#byId.set(id, entry);
    this.#count++;
    this.#weigh(entry);
    this.#index(entry);
    if (owner !== null) this.own(entry, owner);
    return entry;
  }

  /** Puts other states in the place of those of an entry. */
  setStates(entry: PresentEntry, authored: StateBytes, published: StateBytes): void {
    if (authored === entry.authoredState && published === entry.publishedState) return;
    entry.authoredState = authored;
    entry.publishedState = published;
    this.#weigh(entry);
  }

  setClaim(entry: PresentEntry, claim: PresentEntry["claim"]): void {
    this.#unindex(entry);
    entry.claim = claim;
    this.#index(entry);
  }

  own(entry: PresentEntry, author: Author): void {
    this.#disown(entry);
    entry.owner = author;
    entry.isRemote = author.kind === "relay";
    if (!entry.isRemote) entry.remote = null;
    entry.phase = "live";
    entry.user = author.access.user?.id ?? null;
    const record = this.record(author);
    // an empty array that something is pushed to takes room for seventeen
    if (record.owned.length === 0) record.owned = [entry];
    else record.owned.push(entry);
  }

  /** Takes an entry out, and remembers that it was here. */
  remove(entry: PresentEntry, now: number): void {
    const { id, clock, owner, user, publication } = entry;
    const by = owner === null ? null : this.record(owner);
    this.#unindex(entry);
    this.#disown(entry);
    this.#count--;
    this.#memory.changed(entry.address, DEPARTED_BYTES - entry.weight);
    entry.weight = 0;
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
    this.#byId.set(id, departed);
    this.#departed.add(departed);
  }

  /** Forgets ids that left long ago. Ids whose connections were lost stay expected for their users. */
  sweep(now: number): void {
    for (const departed of this.#departed) {
      if (departed.at > now - DEPARTED_MS) break;
      this.#forget(departed);
      if (departed.user !== null) this.#expect(departed.id, departed.user);
    }
  }

  /**
   * Packs the states of clients that have said nothing since a moment, monotonic ms.
   *
   * @param onlyHidden leaves out states that observers may see
   */
  fold(since: number, onlyHidden = false): void {
    for (const { lastSeen, publishedState, authoredState, visible } of this.present()) {
      if (lastSeen >= since || (visible && onlyHidden)) continue;
      publishedState.fold();
      authoredState.fold();
    }
  }

  /** Forgets everybody: the room is closed. */
  close(): void {
    for (const { address, weight } of this.present()) this.#memory.changed(address, -weight);
    for (const { address } of this.#departed) this.#memory.changed(address, -DEPARTED_BYTES);
    this.#byId.clear();
    this.#departed.clear();
    this.#count = 0;
  }

  #weigh(entry: PresentEntry): void {
    const weight = weightOf(entry.authoredState, entry.publishedState);
    this.#memory.changed(entry.address, weight - entry.weight);
    entry.weight = weight;
  }

  #forget(departed: DepartedEntry): void {
    if (this.#departed.delete(departed)) this.#memory.changed(departed.address, -DEPARTED_BYTES);
    if (this.#byId.get(departed.id) === departed) this.#byId.delete(departed.id);
    if (departed.by !== null) departed.by.departed--;
  }

  #expect(id: number, user: string): void {
    const expected: ExpectedEntry = { phase: "expected", id, user };
    this.#byId.set(id, expected);
    this.#expected.add(expected);
    if (this.#expected.size <= MAX_EXPECTED) return;
    for (const first of this.#expected) {
      this.#expected.delete(first);
      this.#byId.delete(first.id);
      return;
    }
  }

  #disown(entry: PresentEntry): void {
    const owned = entry.owner === null ? undefined : this.#records.get(entry.owner)?.owned;
    if (owned !== undefined) drop(owned, entry);
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

function drop<T>(from: T[], item: T): void {
  const at = from.indexOf(item);
  if (at >= 0) from.splice(at, 1);
}
