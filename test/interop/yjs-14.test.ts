/** Our client where the application's bundler, or an override of npm's, gives it Yjs 14 in the place of Yjs 13. */
import * as Y14 from "@y/y";
import { expect, it, vi } from "vitest";
import type * as Y from "yjs";
import { createPresence } from "../../src/client/index.ts";
import { spawnRelay } from "../e2e/demo/servers.ts";
import { ownClient, stockClient, until } from "../support.ts";

vi.mock("yjs", () => import("@y/y"));
const { Doc } = await vi.importActual<typeof Y>("yjs");

it("[PKG-4] with @y/y 14.0.0-rc.7 it shows lobby and room, and shares documents with clients of Yjs 13", async () => {
  // a process of its own, since the relay has Yjs 13
  const relay = await spawnRelay(["--leave-grace", "200"]);
  const [alice, bob] = [ownClient(relay.url, "alice"), ownClient(relay.url, "bob")];
  const doc = new Y14.Doc();
  const hers = alice.join("doc", { doc: doc as unknown as Y.Doc });
  const his = bob.join("doc");
  const carol = stockClient(relay.url, "doc", { user: { id: "carol", name: "Carol" }, doc: new Doc() });
  const namesIn = (users: readonly { readonly name?: string }[]): string =>
    users
      .map(({ name }) => name ?? "")
      .toSorted()
      .join();
  await until("she sees all in the room", () => namesIn(hers.roster.users) === "Alice,Bob,Carol");
  await until("and in the lobby", () => namesIn(alice.lobby.users) === "Alice,Bob,Carol");
  await until("and which room they are in", () => alice.lobby.countIn("doc") === 3);

  carol.doc.getText("t").insert(0, "Hello");
  const text = doc.get("t");
  await until("her document has it", () => text.toString() === "Hello");
  text.insert(5, " Carol");
  await until("and Carol's has hers", () => carol.doc.getText("t").toJSON() === "Hello Carol");

  bob.setStatus("dnd");
  await until("she sees his status", () =>
    alice.lobby.users.some(({ id, status }) => id === "bob" && status === "dnd"),
  );
  his.leave();
  await until("she sees him leave the room", () => namesIn(hers.roster.users) === "Alice,Carol");
  bob.destroy();
  await until("and the lobby", () => namesIn(alice.lobby.users) === "Alice,Carol");
  expect(alice.lobby.recent.map(({ id }) => id)).toEqual(["bob"]);

  await relay.kill();
  await until("she is told that she knows nothing new", () => alice.lobby.status === "stale");
  expect(namesIn(alice.lobby.users)).toBe("Alice,Carol");
});

it("[PKG-2] and refuses a document of Yjs 13 then", () => {
  const alice = createPresence("ws://127.0.0.1:9", { user: { id: "alice", name: "Alice" }, connect: false });
  expect(() => alice.join("doc", { doc: new Doc() })).toThrow(TypeError);
  alice.destroy();
});
