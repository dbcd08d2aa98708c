/**
 * Writes into a room's register what another relay says of the clients that are connected to it. That relay, the home relay of their ids,
 * has checked it, and it alone gives out the clocks that observers are told. Where two relays speak for one session, the later connection
 * counts.
 */
import { equal, isStockSession, readState } from "../presence/index.ts";
import { type Mark, PERSON, StateBytes, type StateChange, sameBytes, valuesOf } from "../wire/index.ts";
import type { Author } from "./author.ts";
import type { Change } from "./change.ts";
import type { Entries } from "./entries.ts";
import { type Entry, type PresentEntry, isPresent, sessionKey } from "./entry.ts";
import { weightOf } from "./memory.ts";
import type { Published } from "./publish.ts";

/** What the home relay of a client id says of it. */
export interface RemoteState {
  readonly id: number;
  /** The clock that observers are told. */
  readonly clock: number;
  /** The author's own clock: an author that comes back through another relay speaks with the next one. */
  readonly authorClock: number;
  readonly heldAt: number;
  readonly mark: Mark;
  /** When its connection last gave a sign of life, by this relay's monotonic clock, ms. */
  readonly lastSeen: number;
  readonly isStock: boolean;
  /** The user that the home relay knows its author as; null where the relay asks nobody who they are. */
  readonly user: string | null;
  readonly lobby: string;
  /** null: the id has left. */
  readonly state: StateBytes | null;
}

export interface RemoteOutcome {
  readonly changes: readonly Change[];
  /** Ids whose observers here were told a clock not below the home relay's, which has to go on above it. [BUS-8] */
  readonly behind: readonly { readonly id: number; readonly clock: number }[];
}

/** @param room whose register it is */
export function takeRemote(
  entries: Entries,
  room: string,
  author: Author,
  said: readonly RemoteState[],
  now: number,
): RemoteOutcome {
  const changes: Change[] = [];
  const behind: { id: number; clock: number }[] = [];
  for (const each of said) {
    const entry = entries.get(each.id);
    const isOwn = isPresent(entry) && entry.owner === author;
    if (each.state === null) {
      if (isOwn) leave(entries, entry, each.lastSeen, now, changes);
      continue;
    }
    const known = entry?.phase === "expected" ? null : (entry?.publication ?? null);
    const isHeard = !isOwn || entry.remote?.clock !== each.clock;
    if (known !== null && known.sentAt > -Infinity && each.clock <= known.clock && isHeard && !isSameAs(entry, each)) {
      behind.push({ id: each.id, clock: known.clock });
    }
    const published = publishedOf(each, each.state, room, isPresent(entry) ? entry : undefined);
    if (isOwn) update(entry, each, published, entries, changes);
    else if (!isOlder(entries, author, entry, each, published))
      take(entries, author, entry, each, published, now, changes);
  }
  return { changes, behind };
}

/** About how many bytes the states take that are new here. */
export function bytesOfNew(entries: Entries, said: readonly RemoteState[]): number {
  let bytes = 0;
  for (const { id, state } of said) if (state !== null && !isPresent(entries.get(id))) bytes += weightOf(state, state);
  return bytes;
}

/** Whether the id, or its session, is held by a later connection. [BUS-9] */
function isOlder(
  entries: Entries,
  author: Author,
  entry: Entry | undefined,
  said: RemoteState,
  { claim }: Published,
): boolean {
  const older = (other: PresentEntry): boolean => other.owner !== author && isBefore(said.heldAt, author, other);
  if (isPresent(entry)) {
    // two users have the same id: the one who had it first keeps it
    return entry.claim.user.id === claim.user.id ? older(entry) : !older(entry);
  }
  return !isStockSession(claim) && entries.inSession(sessionKey(claim, said.lobby)).some(older);
}

function isBefore(heldAt: number, { address }: Author, other: PresentEntry): boolean {
  if (heldAt !== other.heldAt) return heldAt < other.heldAt;
  return address < (other.owner?.address ?? "");
}

function take(
  entries: Entries,
  author: Author,
  entry: Entry | undefined,
  said: RemoteState,
  published: Published,
  now: number,
  changes: Change[],
): void {
  if (!isPresent(entry)) {
    const added = entries.add(said.id, said.authorClock, published, author, said.lobby, now);
    note(added, said);
    changes.push({ type: "entered", entry: added });
    return takeOver(entries, added, now, changes);
  }
  const { owner } = entry;
  entries.own(entry, author);
  if (owner !== null && owner.kind !== "relay") {
    changes.push(entries.supersede(owner, entry.id, entry, true));
  }
  changes.push({ type: "claimed", entry });
  update(entry, said, published, entries, changes);
  takeOver(entries, entry, now, changes);
}

function update(
  entry: PresentEntry,
  said: RemoteState,
  published: Published,
  entries: Entries,
  changes: Change[],
): void {
  const isRemarked = entry.remote?.mark !== said.mark;
  const isRenewed = entry.remote?.clock !== said.clock;
  note(entry, said);
  entry.clock = said.authorClock;
  const { state, changed, claim } = published;
  if (changed.size > 0) entries.setStates(entry, state, state);
  if (!equal(entry.claim, claim)) {
    entries.setClaim(entry, claim);
    changes.push({ type: "renamed", entry });
  } else if (isRemarked) changes.push({ type: "renamed", entry });
  if (changed.size > 0 || isRenewed) changes.push({ type: "changed", entry, fields: changed });
}

function note(entry: PresentEntry, { clock, mark, heldAt, lastSeen, user, isStock }: RemoteState): void {
  entry.remote = { clock, mark };
  entry.heldAt = heldAt;
  entry.lastSeen = lastSeen;
  entry.user = user;
  entry.isStock = isStock;
}

/** The session's older connections are void: here as there. [OWN-4] */
function takeOver(entries: Entries, entry: PresentEntry, now: number, changes: Change[]): void {
  if (isStockSession(entry.claim)) return;
  const key = sessionKey(entry.claim, entry.lobby);
  for (const other of entries.inSession(key).slice()) {
    if (other === entry || other.owner === entry.owner) continue;
    const { id, owner, publication } = other;
    // its own relay tells the others that it has left once they know where it is now [BUS-36]
    if (!other.isRemote && publication !== null) publication.isElsewhere = true;
    entries.remove(other, now);
    changes.push({ type: "left", entry: other });
    if (owner !== null && owner.kind !== "relay") changes.push(entries.supersede(owner, id, entry, true));
  }
}

function leave(entries: Entries, entry: PresentEntry, lastSeen: number, now: number, changes: Change[]): void {
  entry.lastSeen = lastSeen;
  entries.remove(entry, now);
  changes.push({ type: "left", entry });
}

function publishedOf(said: RemoteState, state: StateBytes, room: string, before: PresentEntry | undefined): Published {
  const change = differenceOf(state, before?.publishedState);
  const isPerson = before === undefined || [...change.changed].some((name) => PERSON.has(name));
  const claim = isPerson ? readState(said.id, valuesOf(state.fields, ...PERSON), room) : before.claim;
  if (claim === null) throw new TypeError("unreachable: a state of fields is an object");
  return { authored: change.state, state: change.state, changed: change.changed, claim, corrected: null };
}

/** A field that is the same is the same object, as patches have it. */
function differenceOf(state: StateBytes, known: StateBytes | undefined): StateChange {
  const before = known?.fields ?? new Map<string, Uint8Array>();
  const changed = new Set<string>();
  const fields = new Map<string, Uint8Array>();
  for (const [name, value] of state.fields) {
    const was = before.get(name);
    const isSame = was !== undefined && (was === value || sameBytes(was, value));
    fields.set(name, isSame ? was : value);
    if (!isSame) changed.add(name);
  }
  for (const name of before.keys()) if (!fields.has(name)) changed.add(name);
  return { state: changed.size === 0 && known !== undefined ? known : new StateBytes(fields), changed };
}

function isSameAs(entry: Entry | undefined, { clock, state }: RemoteState): boolean {
  return isPresent(entry) && entry.publication?.clock === clock && entry.publishedState === state;
}
