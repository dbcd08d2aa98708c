/** The first message to a client of ours: where it is, and what it may do. [WIRE-8] [AUTH-6] */
import { type Hello, MAX_PAYLOAD_BYTES } from "../../wire/index.ts";
import { grantsOf } from "./grants.ts";
import type { RoomAccess } from "../ports/access.ts";
import type { RelaySettings } from "../ports/settings.ts";

/** @param at what is told as the time, and the wall clock, ms since the epoch */
export function helloOf(
  shard: string,
  { leaveGrace, maxState, maxMeta, messageRate, byteRate }: RelaySettings,
  room: string,
  access: RoomAccess,
  at: { readonly now: number; readonly wall: number },
): Hello {
  const { user, expiresAt } = access;
  // [MSG-9] as many as both rates take; 0 is any number
  const rate = Math.min(messageRate || Infinity, (byteRate || Infinity) / MAX_PAYLOAD_BYTES);
  return {
    kind: "hello",
    shard,
    graceMs: leaveGrace,
    now: at.now,
    room,
    grants: grantsOf(access),
    maxState,
    maxMeta,
    session: true,
    ...(rate < Infinity && { messageRate: rate }),
    ...(user !== null && { user }),
    ...(expiresAt !== null && { expiresInMs: Math.max(0, expiresAt - at.wall) }),
  };
}
