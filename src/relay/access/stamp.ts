/**
 * The relay's word in place of a claim: who a state is from. Pure.
 *
 * What agrees already stays the bytes that its author wrote, so that honest clients cost a comparison.
 */
import { isRecord, readUserId } from "../../presence/index.ts";
import { MetaTooLargeError, StateBytes, type StateChange, sameBytes, text, valuesOf } from "../../wire/index.ts";
import type { Stamp } from "./identity.ts";

/** @param value the field `user` of a state, sound JSON; undefined: it has none */
export function stampField(value: Uint8Array | undefined, stamp: Stamp): Uint8Array {
  const claimed: unknown = value === undefined ? null : JSON.parse(text(value));
  const user = isRecord(claimed) ? claimed : {};
  const agrees = Object.entries(stamp).every(([key, known]) => Object.hasOwn(user, key) && user[key] === known);
  if (value !== undefined && isRecord(claimed) && agrees) return value;
  return new TextEncoder().encode(JSON.stringify({ ...user, ...stamp }));
}

/** The same state with another field `user`; first where there was none, so that it keeps its place. */
export function withUser(state: StateBytes, user: Uint8Array): StateBytes {
  const before = state.fields.get("user");
  if (before === user) return state;
  return new StateBytes(
    before === undefined ? new Map([["user", user], ...state.fields]) : new Map(state.fields).set("user", user),
  );
}

/** What a state changes, with the relay's word for who it is from. */
export interface Stated extends StateChange {
  /** The state as its author wrote it. */
  readonly said: StateBytes;
}

/**
 * @param before what others have of it, if anything
 * @param isOwn whether that was stamped the same
 */
export function stamped(
  { state, changed }: StateChange,
  stamp: Stamp,
  before: StateBytes | undefined,
  isOwn: boolean,
): Stated {
  const known = before?.fields.get("user");
  // on the way of every cursor that moves: nothing is looked at that did not change
  if (known !== undefined && isOwn && !changed.has("user")) {
    return { state: withUser(state, known), said: state, changed };
  }
  const field = stampField(state.fields.get("user"), stamp);
  if (known !== undefined && sameBytes(known, field)) return { state: withUser(state, known), said: state, changed };
  return { state: withUser(state, field), said: state, changed: new Set(changed).add("user") };
}

/** The user id that a state claims, if any. */
export function claimedUser({ fields }: StateBytes): string | undefined {
  const { user } = valuesOf(fields, "user");
  return isRecord(user) ? readUserId(user["id"]) : undefined;
}

/** Throws a `FrameError` for a state whose metadata is larger than that, in bytes. */
export function checkMeta({ fields }: StateBytes, maxMeta: number): void {
  if ((fields.get("copresence")?.length ?? 0) <= maxMeta) return;
  const { copresence } = valuesOf(fields, "copresence");
  const meta = isRecord(copresence) && Object.hasOwn(copresence, "meta") ? copresence["meta"] : null;
  if (new TextEncoder().encode(JSON.stringify(meta)).length > maxMeta) throw new MetaTooLargeError(maxMeta);
}
