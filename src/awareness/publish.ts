/**
 * From a state as its author wrote it to the state that observers get: with the relay's word on who it is from, and no
 * time ahead of the relay's clock. Pure.
 *
 * What agrees already stays the bytes that its author wrote, so that honest clients cost a comparison.
 */
import { type Claim, isRecord, readState, readUserId } from "../presence/index.ts";
import {
  type Fields,
  MetaTooLargeError,
  PERSON,
  StateBytes,
  type StateChange,
  sameBytes,
  text,
  valuesOf,
} from "../wire/index.ts";
import type { Stamp } from "./author.ts";
import type { CorrectedTimes, PresentEntry } from "./entry.ts";

/** A state that is ready for observers. */
export interface Published {
  readonly authored: StateBytes;
  readonly state: StateBytes;
  /** The fields that differ from what observers have. */
  readonly changed: ReadonlySet<string>;
  readonly claim: Claim;
  readonly corrected: CorrectedTimes | null;
}

export interface Circumstances {
  readonly id: number;
  readonly room: string;
  /** Who the relay knows the author to be; null: nobody was asked. */
  readonly stamp: Stamp | null;
  /** What is here under the id, if anything. */
  readonly before: PresentEntry | undefined;
  /** The author owns what is here. */
  readonly isOwn: boolean;
  /** By the relay's clock, ms since the epoch. */
  readonly date: number;
  /** The author is a server of the application. */
  readonly isServer?: true | undefined;
}

/** Clocks that agree about this well are not corrected, ms: latency alone makes such differences. */
const TOLERANCE_MS = 1_000;

/** What observers get of a state that changed. [ID-1] [ID-2] [STATUS-7] */
export function publish({ state, changed }: StateChange, circumstances: Circumstances): Published {
  const { before, isOwn, stamp } = circumstances;
  // on the way of every cursor that moves: nothing is looked at that did not change
  if (before !== undefined && isOwn && !changesPerson(changed)) {
    const { claim, corrected, publishedState } = before;
    return { authored: state, state: withPersonOf(state, publishedState), changed, claim, corrected };
  }
  const user = stamp === null ? state.fields.get("user") : stampField(state.fields.get("user"), stamp);
  let stamped = withField(state, "user", user);
  let said = dated(stamped, circumstances);
  // [API-34] where the relay knows who its authors are, only a server of the application speaks for others
  if (said.claim.session.onBehalfOf !== undefined && stamp !== null && circumstances.isServer !== true) {
    stamped = onOwnBehalf(stamped);
    said = dated(stamped, circumstances);
  }
  const { claim, copresence, corrected } = said;
  const published = withField(stamped, "copresence", copresence);
  return { authored: state, state: published, changed: differences(changed, before, published), claim, corrected };
}

/** The state, without the word that its author acts on behalf of somebody else. */
function onOwnBehalf(state: StateBytes): StateBytes {
  const { copresence } = valuesOf(state.fields, "copresence");
  if (!isRecord(copresence)) return state;
  const { onBehalfOf: _, ...rest } = copresence;
  return withField(state, "copresence", encode(rest));
}

function changesPerson(changed: ReadonlySet<string>): boolean {
  for (const name of PERSON) if (changed.has(name)) return true;
  return false;
}

/** The state, with the fields that say who it is from as they were published before. */
function withPersonOf(state: StateBytes, before: StateBytes): StateBytes {
  let result = state;
  for (const name of PERSON) result = withField(result, name, before.fields.get(name));
  return result;
}

/** What the author changed, and what the relay's word changes about it. */
function differences(
  changed: ReadonlySet<string>,
  before: PresentEntry | undefined,
  published: StateBytes,
): ReadonlySet<string> {
  const known: Fields | undefined = before?.publishedState.fields;
  const result = new Set(changed);
  for (const name of PERSON) {
    const [was, is] = [known?.get(name), published.fields.get(name)];
    const isSame = was === undefined || is === undefined ? was === is : sameBytes(was, is);
    if (isSame) result.delete(name);
    else result.add(name);
  }
  return result;
}

/**
 * The user that observers see: what the relay knows in place of what is claimed. [ID-1] [ID-2]
 *
 * @param value the field `user` of a state, sound JSON; undefined: it has none
 */
export function stampField(value: Uint8Array | undefined, stamp: Stamp): Uint8Array {
  const claimed: unknown = value === undefined ? null : JSON.parse(text(value));
  const user = isRecord(claimed) ? claimed : {};
  const agrees = Object.entries(stamp).every(([key, known]) => Object.hasOwn(user, key) && user[key] === known);
  if (value !== undefined && isRecord(claimed) && agrees) return value;
  return encode({ ...user, ...stamp });
}

/** The claim of a state, with no time in it that lies ahead of the relay's clock. [TIME-4] [STATUS-7] */
function dated(
  state: StateBytes,
  { id, room, before, date }: Circumstances,
): { readonly claim: Claim; readonly copresence: Uint8Array | undefined; readonly corrected: CorrectedTimes | null } {
  const values = valuesOf(state.fields, ...PERSON);
  const claim = readState(id, values, room);
  if (claim === null) throw new TypeError("unreachable: a state of fields is an object");
  const copresence = state.fields.get("copresence");
  const { copresence: record } = values;
  const { manual, since } = claim.session;
  const latest = date + TOLERANCE_MS;
  if (!isRecord(record) || Math.max(manual?.at ?? 0, since) <= latest) return { claim, copresence, corrected: null };
  const known = before?.corrected ?? NO_TIMES;
  // what was corrected once stays as it was corrected: the same choice is no newer for being said again
  const correct = (said: number, knownSaid: number, knownTime: number): number => {
    if (said <= latest) return said;
    return said === knownSaid ? knownTime : date;
  };
  const times = {
    saidAt: manual?.at ?? -1,
    at: correct(manual?.at ?? -1, known.saidAt, known.at),
    saidSince: since,
    since: correct(since, known.saidSince, known.since),
  };
  const session = { ...claim.session, since: times.since, manual: manual && { ...manual, at: times.at } };
  const rewritten = {
    ...record,
    since: session.since,
    ...(session.manual !== null && { manual: session.manual }),
  };
  return { claim: { ...claim, session }, copresence: encode(rewritten), corrected: times };
}

const NO_TIMES: CorrectedTimes = { saidAt: -1, at: -1, saidSince: -1, since: -1 };

/** The same state with another value of a field; first where there was none, so that the field keeps its place. */
export function withField(state: StateBytes, name: string, value: Uint8Array | undefined): StateBytes {
  const before = state.fields.get(name);
  if (before === value || value === undefined) return state;
  return new StateBytes(
    before === undefined ? new Map([[name, value], ...state.fields]) : new Map(state.fields).set(name, value),
  );
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The user id that a state claims, if any. */
export function claimedUser({ fields }: StateBytes): string | undefined {
  const { user } = valuesOf(fields, "user");
  return isRecord(user) ? readUserId(user["id"]) : undefined;
}

/** Throws a `FrameError` for a state whose metadata is larger than `maxMeta`, in bytes. [LIMIT-4] */
export function checkMeta({ fields }: StateBytes, maxMeta: number): void {
  if ((fields.get("copresence")?.length ?? 0) <= maxMeta) return;
  const { copresence } = valuesOf(fields, "copresence");
  const meta = isRecord(copresence) && Object.hasOwn(copresence, "meta") ? copresence["meta"] : null;
  if (new TextEncoder().encode(JSON.stringify(meta)).length > maxMeta) throw new MetaTooLargeError(maxMeta);
}
