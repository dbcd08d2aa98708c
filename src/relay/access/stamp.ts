/**
 * The relay's word in place of a claim: who a state is from. Pure.
 *
 * What agrees already stays the bytes that its author wrote, so that honest clients cost a comparison.
 */
import { isRecord } from "../../presence/index.ts";
import { StateBytes, text } from "../../wire/index.ts";
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
