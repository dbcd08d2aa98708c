/**
 * Decides who may speak for a client id. These functions are pure, since they alone keep ghosts, doubles and impostors out.
 *
 * Stock clients send back every state that they hear, so what looks like somebody who returns may be an echo. Messages keep
 * their order, which tells the two apart: a stock client announces itself before it answers the first question that the
 * relay asks (sync step 1), and says back what it heard only after that. Native clients say nothing back.
 */
import type { Claim } from "../presence/index.ts";
import type { Author } from "./author.ts";
import { type AuthorRecord, type DepartedEntry, type Entry, type PresentEntry, isPresent } from "./entry.ts";

/** Who speaks, and what is known of them. */
export interface Speaker {
  readonly author: Author;
  /** null: they have said nothing yet. */
  readonly record: AuthorRecord | null;
  /** They own an id already, or will by an earlier entry of the same message. */
  readonly ownsAny: boolean;
}

/** Whether an entry of a message may be news. Most entries that come in are not, and are dropped before they are read. [OWN-1] [OWN-2] */
export function mayBeNews(entry: Entry | undefined, speaker: Speaker, clock: number, isGone: boolean): boolean {
  const { author, record, ownsAny } = speaker;
  // only its owner takes a state back
  if (isGone) return isPresent(entry) && entry.owner === author && clock >= entry.clock;
  if (entry === undefined || entry.phase === "expected") return true;
  if (isOwn(entry, speaker)) return clock > entry.clock;
  switch (author.kind) {
    case "native":
      // a native client sends nothing back: it says that the id is its own, however low its clock is [OWN-12]
      return true;
    case "relay":
      return clock > entry.clock;
    case "stock":
      // a stock client that owns an id already passes on what it heard from a sibling tab [OWN-11]
      if (ownsAny) return false;
      // a client that returns is not behind itself
      if (!(record?.echoes ?? author.echoing === "always")) return clock >= entry.clock;
      // an entry that may be an echo counts only with a clock above all that the client can have heard [OWN-8]
      return clock > Math.max(entry.clock, entry.publication?.clock ?? -1);
  }
}

/**
 * What is done with a state that may be news. `introduce`: the id is new. `update`: the author changes an id of its own. `claim`: the
 * author takes over an id. `drop`: nothing, and nobody is told. `taken`: nothing, since the id is somebody else's; a native author is
 * told so, since it would wait in vain to be seen. [OWN-9]
 */
export type Verdict = "introduce" | "update" | "claim" | "drop" | "taken";

/** The parts of a state by which ownership is decided. */
export interface Said {
  readonly claim: Claim;
  /** The user that the state itself names, whatever the relay knows; undefined: it names none, or the id is somebody's already. */
  readonly claimedUser: string | undefined;
  /** The session has been taken over by another connection that is still there. */
  readonly isSuperseded: boolean;
}

/** Decides what is done with a state, once it is read. [OWN-1] [OWN-3] [ID-3] */
export function verdictOn(entry: Entry | undefined, speaker: Speaker, said: Said): Verdict {
  if (isPresent(entry)) return entry.owner === speaker.author ? "update" : verdictOnClaim(entry, speaker, said);
  return verdictOnIntroduction(entry, speaker, said);
}

/** An author speaks for an id that another connection owns, or that lost its connection. */
function verdictOnClaim(entry: PresentEntry, { author }: Speaker, { claim, isSuperseded }: Said): Verdict {
  if (isSuperseded) return "drop";
  const elsewhere = author.kind === "native" ? "taken" : "drop";
  if (entry.lobby !== author.access.lobby || entry.claim.user.id !== claim.user.id) return elsewhere;
  // the same user and session speak through a new connection [OWN-3]
  if (entry.claim.session.id === claim.session.id) return "claim";
  // a native client may have taken another session id while its connection was lost; but while another connection holds
  // the id, this is a second tab whose document has the same id [OWN-7]
  return author.kind === "native" && entry.phase === "orphaned" ? "claim" : elsewhere;
}

/** An author speaks for an id that nobody has. */
function verdictOnIntroduction(
  entry: DepartedEntry | Exclude<Entry, PresentEntry> | undefined,
  { author, ownsAny }: Speaker,
  { claimedUser, isSuperseded }: Said,
): Verdict {
  // a newer connection holds the session: until this one takes another, the two would only take over back and forth
  if (isSuperseded) return "drop";
  const { user } = author.access;
  if (user === null) return "introduce";
  // an id whose connection was lost is kept for its user: somebody else who took it meanwhile would lock them out [ID-3]
  const expected = entry?.user ?? user.id;
  if (expected !== user.id) return author.kind === "native" ? "taken" : "drop";
  // [ID-5] a tab passes on what it heard from another tab of its browser, where another user is signed in, who says it too
  if (ownsAny && (claimedUser ?? user.id) !== user.id) return "drop";
  return "introduce";
}

/** Whether an id is the speaker's own: it owns the entry, or has taken it back and nobody else has had the id since. */
export function isOwn(entry: PresentEntry | DepartedEntry, { author, record }: Speaker): boolean {
  if (entry.phase !== "departed") return entry.owner === author;
  return entry.by !== null && entry.by === record;
}
