/** A lobby that a relay writes with Yjs 13, read with the prereleases of Yjs 14. */
import * as Y14 from "@y/y";
import { expect, it } from "vitest";
import * as Y from "yjs";
import * as Yjs14 from "yjs-14";
import { Directory, Shard, Union, usersOf } from "../../src/lobby/index.ts";
import { report } from "./reports.ts";

/** What is used of either: TypeScript has types of another Yjs for each. */
interface Yjs {
  readonly Doc: new () => object;
  applyUpdate(doc: object, update: Uint8Array): void;
}

const vouched = (shard: string) => [{ copresence: { relay: { shard, startedAt: 0 } } }];

it.each([
  ["@y/y 14.0.0-rc.7", Y14 as unknown as Yjs],
  ["yjs 14.0.0-16", Yjs14 as unknown as Yjs],
])("[PKG-4] %s: a reader sees who is here, and is told of whom something was written", (_name, yjs) => {
  const doc = new yjs.Doc();
  const union = new Union(doc as Y.Doc);
  const told: (readonly string[] | null)[] = [];
  const unobserve = union.observe((userIds) => told.push(userIds));
  const directory = new Directory<object>("@lobby");
  const shard = new Shard("r_1", { recentTtl: 60_000, recentMax: 10, lobbyRooms: true });
  shard.doc.on("update", (update: Uint8Array) => yjs.applyUpdate(doc, update));
  shard.open([], 0);
  let now = 0;
  const say = (act: () => void): void => {
    now++;
    act();
    shard.write(directory.flush(now, now), now, now);
  };
  const [tab, phone] = [{}, {}];
  say(() => directory.report(tab, report("alice", "s1", "atrium"), now));
  say(() => directory.report(phone, report("bob", "s2", "bureau", { status: "away" }), now));
  expect(told).toEqual([[], ["alice"], ["bob"]]);
  expect([...union.userIds()]).toEqual(["alice", "bob"]);
  union.vouch(vouched("r_1"));
  expect(usersOf(union).map(({ id, status }) => `${id} ${status}`)).toEqual(["alice online", "bob away"]);

  say(() => directory.withdraw(phone, now, now));
  expect(told.at(-1)).toEqual(["bob"]);
  expect(usersOf(union).map(({ id }) => id)).toEqual(["alice"]);
  unobserve();
  say(() => directory.withdraw(tab, now, now));
  expect(told).toHaveLength(4);
  expect(usersOf(union)).toEqual([]);
});
