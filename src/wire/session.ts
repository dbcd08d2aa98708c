/**
 * What changed of a session, told once for all rooms of a link. Relay and client each work out what becomes of the state in a room,
 * and come to the same bytes, since later patches build on them. [LINK-13]
 */
import { asRecord } from "../presence/index.ts";
import { text } from "./bytes.ts";
import { type Fields, encodeValue } from "./patch.ts";
import { type StateBytes, type StateChange, changeFields } from "./state.ts";

/** Client → relay, on a link: members to be set in two fields of each state that the client has announced on it. */
export interface SessionChange {
  readonly kind: "session";
  readonly user?: Readonly<Record<string, unknown>> | undefined;
  readonly copresence?: Readonly<Record<string, unknown>> | undefined;
}

/** The fields that say who and how the author of a state is. */
export const SESSION_FIELDS = ["user", "copresence"] as const;

/** The fields of a state once its session has changed. What did not change is the same object as before. */
export function withSession(fields: Fields, change: SessionChange): Map<string, Uint8Array> {
  const changed = new Map(fields);
  for (const name of SESSION_FIELDS) {
    const before = fields.get(name);
    const members = change[name];
    const value = members && encodeValue({ ...asRecord(before && JSON.parse(text(before))), ...members }, before);
    if (value !== undefined) changed.set(name, value);
  }
  return changed;
}

/** What that changes about a state. Throws `FrameError`. */
export function changeSession(change: SessionChange, known: StateBytes): StateChange {
  return changeFields(withSession(known.fields, change), known);
}
