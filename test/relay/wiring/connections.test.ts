import { expect, it } from "vitest";
import { ownClient, until } from "../../support.ts";
import { startCalledRelay } from "../api/caller.ts";

it("[LIMIT-7] a member whom a server has set is a person in the room, and no connection", async () => {
  const { api, relay, url } = await startCalledRelay();
  const room = ownClient(url, "alice").join("doc");
  await until("Alice is there", () => relay.room("doc")?.users.length === 1);
  const before = relay.metrics().connections;
  const set = await api.put("/rooms/doc/members/bot", { user: { id: "bot" }, ttlMs: 60_000 });
  expect(set.status).toBe(200);
  await until("Alice sees the bot", () => room.roster.has("bot"));
  expect(relay.room("doc")).toMatchObject({ connections: 1 });
  expect(relay.room("doc")?.users).toHaveLength(2);
  expect(relay.metrics().connections).toBe(before);
});
