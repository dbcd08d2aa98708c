/** Claims to test with, made by hand or by chance. */
import * as fc from "fast-check";
import type { Claim, ManualChoice, Session, UserInfo } from "../../src/presence/index.ts";

/** A session as it stands in a room, online on a desktop but for what is said otherwise. */
export function session(id: string, fields: Partial<Session> = {}): Session {
  return {
    id,
    status: "online",
    manual: null,
    device: "desktop",
    since: 0,
    meta: {},
    rooms: ["room"],
    reconnecting: false,
    clientId: null,
    ...fields,
  };
}

export function claim(
  userId: string,
  sessionId: string,
  fields: Partial<Session> = {},
  info: Partial<UserInfo> = {},
): Claim {
  return { user: { id: userId, ...info }, session: session(sessionId, fields) };
}

// few values each, so that ties and repetitions are common

export const anyManual: fc.Arbitrary<ManualChoice | null> = fc.option(
  fc.record({
    status: fc.constantFrom("away", "busy", "dnd", "invisible", null),
    at: fc.integer({ min: 0, max: 3 }),
  }),
);

export function anySession(ids: fc.Arbitrary<string> = fc.constantFrom("s1", "s2", "s3")): fc.Arbitrary<Session> {
  return fc.record({
    id: ids,
    status: fc.constantFrom("online", "away"),
    manual: anyManual,
    device: fc.constantFrom("desktop", "mobile", "tablet", "unknown"),
    since: fc.integer({ min: 0, max: 2 }),
    meta: fc.record({ page: fc.integer({ min: 0, max: 2 }) }),
    rooms: fc.subarray(["atrium", "bureau", "cellar"]),
    reconnecting: fc.boolean(),
    clientId: fc.constantFrom(null, 1, 2),
  });
}

export function anyClaim(
  userIds: fc.Arbitrary<string> = fc.constantFrom("alice", "bob", "guest:1"),
  sessions: fc.Arbitrary<Session> = anySession(),
): fc.Arbitrary<Claim> {
  const info = fc.record(
    { name: fc.constantFrom("A", "B"), color: fc.constantFrom("#111", "#222") },
    { requiredKeys: [] },
  );
  return fc.tuple(userIds, info, sessions).map(([id, rest, one]) => ({ user: { id, ...rest }, session: one }));
}
