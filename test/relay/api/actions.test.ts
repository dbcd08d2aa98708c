/** Acting on users: they are thrown out, kept out, and asked for new tokens. */
import { describe, expect, it } from "vitest";
import { closeOf, ownClient, pause, rawClient, stockClient, until } from "../../support.ts";
import { rawPeer, stateOf } from "../raw.ts";
import { SECRET, tokenFor } from "../tokens.ts";
import { startCalledRelay } from "./caller.ts";

describe("disconnect", () => {
  it("[API-23] closes all connections of a user, and others see the user leave at once", async () => {
    const { url, relay, api } = await startCalledRelay({ jwtSecret: SECRET });
    const bob = ownClient(url, "bob", { token: await tokenFor({ sub: "bob" }) });
    const seen = bob.join("doc-1");
    const alice = ownClient(url, "alice", { token: async () => tokenFor({ sub: "alice" }) });
    alice.join("doc-1");
    const phone = stockClient(url, "doc-2", {
      user: { id: "alice" },
      params: { token: await tokenFor({ sub: "alice" }) },
    });
    await until("Bob sees her", () => seen.roster.getSnapshot().users.some(({ id }) => id === "alice"));
    await until("her phone is there", () => relay.room("doc-2")?.users.length === 1);
    const { body } = await api.post("/users/alice/disconnect", { reason: "enough" });
    expect(body).toEqual({ connections: 3, until: null });
    await until("he sees her no more", () => !seen.roster.getSnapshot().users.some(({ id }) => id === "alice"));
    await until("her client is told why", () => alice.refusal !== null);
    expect(alice.refusal).toMatchObject({ code: 4403, reason: "enough" });
    await until("her phone is gone", () => !phone.wsconnected);
    expect(relay.user("alice")?.status).toBe("offline");
    // she may come back
    const again = ownClient(url, "alice", { token: await tokenFor({ sub: "alice" }) });
    again.join("doc-1");
    await until("she is back", () => relay.user("alice")?.status === "online");
  });

  it("[API-24] refuses the user until then, even with a good token, and no longer", async () => {
    const { url, relay, api } = await startCalledRelay({ jwtSecret: SECRET });
    const token = await tokenFor({ sub: "alice" });
    const before = Date.now();
    const { until: end } = (
      await api.post("/users/alice/disconnect", { forMs: 60_000, code: 4503, reason: "a minute" })
    ).body;
    expect(end).toBeGreaterThanOrEqual(before + 60_000);
    for (const room of ["doc-1", "@lobby"]) {
      const refused = await rawClient(url, `${room}?token=${token}`);
      expect(await closeOf(refused)).toEqual({ code: 4503, reason: "a minute" });
    }
    expect(relay.metrics().refused.forbidden).toBe(2);
    const again = Date.now();
    relay.disconnect("alice", { forMs: 700, code: 4503 });
    const alice = ownClient(url, "alice", { token });
    alice.join("doc-1");
    await until("she is let in when it is over", () => relay.user("alice")?.status === "online");
    expect(Date.now()).toBeGreaterThanOrEqual(again + 690);
    relay.disconnect("alice", { forMs: 60_000 });
    expect(relay.disconnect("alice")).toMatchObject({ until: null });
    ownClient(url, "alice", { token }).join("doc-1");
    await until("a new word ends it", () => relay.user("alice")?.status === "online");
  });

  it("[API-24] on an open relay refuses whoever says that they are the user", async () => {
    const { url, relay } = await startCalledRelay();
    relay.disconnect("alice", { forMs: 60_000, reason: "out" });
    const alice = await rawPeer(url, "doc-1");
    alice.say([1, 1, stateOf("alice", "s1")]);
    expect(await alice.closed).toEqual({ code: 4403, reason: "out" });
    const bob = await rawPeer(url, "doc-1");
    bob.say([2, 1, stateOf("bob", "s2")]);
    await bob.settle();
    bob.say([2, 2, stateOf("alice", "s2")]);
    expect((await bob.closed).code).toBe(4403);
    expect(relay.room("doc-1")?.users ?? []).toEqual([]);
  });

  it("[API-24] in one lobby means the user of that lobby alone", async () => {
    const { url, relay, api } = await startCalledRelay();
    ownClient(url, "alice", { lobby: "acme" }).join("doc-1");
    ownClient(url, "alice", { lobby: "other" }).join("doc-1");
    await until(
      "both are there",
      () => relay.user("alice", "acme") !== undefined && relay.user("alice", "other") !== undefined,
    );
    expect((await api.post("/users/alice/disconnect?lobby=acme", { forMs: 60_000 })).body.connections).toBe(2);
    await until("she of acme is gone", () => relay.user("alice", "acme")?.status === "offline");
    expect(relay.user("alice", "other")?.status).toBe("online");
  });
});

describe("refresh", () => {
  it("[API-26] asks the user's connections for a new token, and others see nothing of it", async () => {
    const { url, relay, api } = await startCalledRelay({ jwtSecret: SECRET });
    let asked = 0;
    const alice = ownClient(url, "alice", { token: () => (asked++, tokenFor({ sub: "alice" })) });
    alice.join("doc-1");
    await until("she is there", () => relay.room("doc-1")?.users.length === 1);
    await until("she is in the lobby", () => relay.room("@lobby")?.connections === 1);
    await until("which knows where she is", () => relay.user("alice")?.rooms.includes("doc-1") === true);
    const events: string[] = [];
    for (const type of ["join", "leave"] as const) relay.on(type, () => events.push(type));
    const before = asked;
    expect((await api.post("/users/alice/refresh")).body).toEqual({ connections: 2 });
    await until("she has brought another token", () => asked > before);
    await pause(100);
    expect(relay.room("doc-1")?.connections).toBe(1);
    expect(events).toEqual([]);
    expect((await api.post("/users/nobody/refresh")).body).toEqual({ connections: 0 });
  });

  it("[API-26] a new token that grants something else holds at once", async () => {
    const { url, relay } = await startCalledRelay({ jwtSecret: SECRET });
    let grants = ["observe", "presence", "read", "write"];
    const token = (): Promise<string> => tokenFor({ sub: "alice", rooms: { "*": grants, "@lobby": ["observe"] } });
    const room = ownClient(url, "alice", { token }).join("doc-1");
    await until("she may write", () => room.grants?.includes("write") === true);
    grants = ["observe", "presence"];
    relay.refresh("alice");
    await until("she may write no more", () => room.grants?.includes("write") === false);
  });
});
