import { expect, it } from "vitest";
import { type User, departed } from "../../../../src/presence/index.ts";
import type { IdentifiedEvent } from "../../../../src/relay/ports/event-sink.ts";
import { Merger } from "../../../../src/relay/webhooks/shared/merger.ts";

let count = 0;

function eventOf(type: "join" | "leave" | "update", userId: string, roomId = "@lobby"): IdentifiedEvent {
  const user: User = departed({ id: userId, name: userId }, 0);
  const base = { id: `e${++count}`, userId, roomId, user, status: user.status, metadata: {}, timestamp: count };
  return type === "update" ? { ...base, type, previous: user } : { ...base, type };
}

const story = (events: readonly IdentifiedEvent[]): string[] => events.map(({ type, userId }) => `${type} ${userId}`);

it("[HOOK-21] somebody has come when the first relay says so, and has left a second after no relay names them", () => {
  const merger = new Merger();
  const take = (relay: string, type: "join" | "leave", now: number) =>
    story(merger.take({ relay, type: "event", event: eventOf(type, "alice") }, now));
  expect(take("r1", "join", 0)).toEqual(["join alice"]);
  expect(take("r2", "join", 10)).toEqual([]);
  expect(take("r1", "leave", 20)).toEqual([]);
  expect(story(merger.ended(5_000, 0))).toEqual([]);
  expect(take("r2", "leave", 6_000)).toEqual([]);
  expect(story(merger.ended(6_900, 0))).toEqual([]);
  // she has moved to a relay that is a little later
  expect(take("r3", "join", 6_950)).toEqual([]);
  expect(story(merger.ended(9_000, 0))).toEqual([]);
  expect(take("r3", "leave", 9_000)).toEqual([]);
  expect(story(merger.ended(10_000, 0))).toEqual(["leave alice"]);
  expect(story(merger.ended(20_000, 0))).toEqual([]);
  expect([...merger.relays]).toEqual([]);
});

it("[HOOK-21] an update is told once, though each relay tells of it", () => {
  const merger = new Merger();
  for (const relay of ["r2", "r1"]) merger.take({ relay, type: "event", event: eventOf("join", "alice") }, 0);
  const told = ["r1", "r2"].flatMap((relay) =>
    merger.take({ relay, type: "event", event: eventOf("update", "alice") }, 1),
  );
  expect(story(told)).toEqual(["update alice"]);
});

it("[HOOK-20] whom a relay does not name as it tells all has left there, and so have all of a room that it closes", () => {
  const merger = new Merger();
  const tell = (type: "begin" | "end") => merger.take({ relay: "r1", type }, 0);
  for (const name of ["alice", "bob"])
    merger.take({ relay: "r1", type: "event", event: eventOf("join", name, "doc") }, 0);
  tell("begin");
  expect(story(merger.take({ relay: "r1", type: "here", event: eventOf("join", "bob", "doc") }, 0))).toEqual([]);
  tell("end");
  expect(story(merger.ended(1_000, 0))).toEqual(["leave alice"]);
  merger.take({ relay: "r1", type: "closed", roomId: "doc" }, 2_000);
  expect(story(merger.ended(3_000, 0))).toEqual(["leave bob"]);
});

it("[HOOK-22] who was known to a relay alone that is gone has left, with an id that is no other event's", () => {
  const merger = new Merger();
  merger.take({ relay: "r1", type: "event", event: eventOf("join", "alice") }, 0);
  merger.take({ relay: "r1", type: "event", event: eventOf("join", "bob") }, 0);
  merger.take({ relay: "r2", type: "event", event: eventOf("join", "bob") }, 0);
  merger.drop("r1", 100);
  const ended = merger.ended(1_100, 77);
  expect(story(ended)).toEqual(["leave alice"]);
  expect(ended[0]).toMatchObject({ timestamp: 77, status: "offline", user: { id: "alice", lastSeen: 77 } });
  expect(ended[0]?.id).toMatch(/^e\d+-end$/);
});
