/** Acting on users: they are thrown out, kept out, and asked for new tokens. */
import { describe, expect, it } from "vitest";
import { closeOf, ownClient, pause, rawClient, stockClient, until } from "../../support.ts";
import { rawPeer, stateOf } from "../raw.ts";
import { SECRET, tokenFor } from "../tokens.ts";
import { hosts, untilIn, untilStatus } from "./hosts.ts";

describe.each(hosts)("disconnect by %s [API-37]", (_host, start) => {
  it("[API-23] closes all connections of a user, and others see the user leave at once", async () => {
    const { dial, api } = await start({ jwtSecret: SECRET });
    const bob = ownClient(dial(), "bob", { token: await tokenFor({ sub: "bob" }) });
    const seen = bob.join("doc-1");
    const alice = ownClient(dial(), "alice", { token: async () => tokenFor({ sub: "alice" }) });
    alice.join("doc-1");
    const phone = stockClient(dial(), "doc-2", {
      user: { id: "alice" },
      params: { token: await tokenFor({ sub: "alice" }) },
    });
    await until("Bob sees her", () => seen.roster.getSnapshot().users.some(({ id }) => id === "alice"));
    await untilIn(api, "doc-2", ["alice"]);
    const { body } = await api.post("/users/alice/disconnect", { reason: "enough" });
    expect(body).toEqual({ connections: 3, until: null });
    await until("he sees her no more", () => !seen.roster.getSnapshot().users.some(({ id }) => id === "alice"));
    await until("her client is told why", () => alice.refusal !== null);
    expect(alice.refusal).toMatchObject({ code: 4403, reason: "enough" });
    await until("her phone is gone", () => !phone.wsconnected);
    await untilStatus(api, "alice", "offline");
    // she may come back
    const again = ownClient(dial(), "alice", { token: await tokenFor({ sub: "alice" }) });
    again.join("doc-1");
    await untilStatus(api, "alice", "online");
  });

  it("[API-24] refuses the user until then, even with a good token, and no longer", async () => {
    const { dial, api } = await start({ jwtSecret: SECRET });
    const token = await tokenFor({ sub: "alice" });
    const before = Date.now();
    const { until: end } = (
      await api.post("/users/alice/disconnect", { forMs: 60_000, code: 4503, reason: "a minute" })
    ).body;
    expect(end).toBeGreaterThanOrEqual(before + 60_000);
    for (const room of ["doc-1", "@lobby"]) {
      const refused = await rawClient(dial(), `${room}?token=${token}`);
      expect(await closeOf(refused)).toEqual({ code: 4503, reason: "a minute" });
    }
    const again = Date.now();
    await api.post("/users/alice/disconnect", { forMs: 700, code: 4503 });
    const alice = ownClient(dial(), "alice", { token });
    alice.join("doc-1");
    await untilStatus(api, "alice", "online");
    expect(Date.now()).toBeGreaterThanOrEqual(again + 690);
    await api.post("/users/alice/disconnect", { forMs: 60_000 });
    expect((await api.post("/users/alice/disconnect")).body).toMatchObject({ until: null });
    await untilStatus(api, "alice", "offline");
    ownClient(dial(), "alice", { token }).join("doc-1");
    await untilStatus(api, "alice", "online");
  });

  it("[API-24] on an open relay refuses everybody who says that they are the user", async () => {
    const { dial, api } = await start();
    await api.post("/users/alice/disconnect", { forMs: 60_000, reason: "out" });
    const alice = await rawPeer(dial(), "doc-1");
    alice.say([1, 1, stateOf("alice", "s1")]);
    expect(await alice.closed).toEqual({ code: 4403, reason: "out" });
    const bob = await rawPeer(dial(), "doc-1");
    bob.say([2, 1, stateOf("bob", "s2")]);
    await bob.settle();
    bob.say([2, 2, stateOf("alice", "s2")]);
    expect((await bob.closed).code).toBe(4403);
    await untilIn(api, "doc-1", []);
  });

  it("[API-24] on an open relay refuses the user whose session comes back within the grace, who then leaves", async () => {
    const { dial, api } = await start({ leaveGrace: 1_000 });
    const alice = await rawPeer(dial(), "doc-1");
    alice.say([1, 1, stateOf("alice", "s1")]);
    await untilIn(api, "doc-1", ["alice"]);
    await api.post("/users/alice/disconnect", { forMs: 60_000, code: 4503, reason: "a minute" });
    expect((await alice.closed).code).toBe(4503);
    const again = await rawPeer(dial(), "doc-1");
    again.say([1, 2, stateOf("alice", "s1")]);
    expect(await again.closed).toEqual({ code: 4503, reason: "a minute" });
    await untilIn(api, "doc-1", []);
  });

  it("[API-24] in one lobby means the user of that lobby alone", async () => {
    const { dial, api } = await start();
    ownClient(dial(), "alice", { lobby: "acme" }).join("doc-1");
    ownClient(dial(), "alice", { lobby: "other" }).join("doc-1");
    for (const lobby of ["acme", "other"]) await untilStatus(api, "alice", "online", `?lobby=${lobby}`);
    const connections = async () => (await api.get("/rooms/doc-1")).body.users[0]?.sessions.length;
    await until("both are in the room", async () => (await connections()) === 2);
    const done = await api.post("/users/alice/disconnect?lobby=acme", { forMs: 60_000 });
    expect(done.body.connections).toBe(2);
    await untilStatus(api, "alice", "offline", "?lobby=acme");
    await untilStatus(api, "alice", "online", "?lobby=other");
  });
});

describe.each(hosts)("refresh by %s [API-37]", (_host, start) => {
  it("[API-26] asks the user's connections for a new token, and others see nothing of it", async () => {
    const { dial, api } = await start({ jwtSecret: SECRET });
    let asked = 0;
    const alice = ownClient(dial(), "alice", { token: () => (asked++, tokenFor({ sub: "alice" })) });
    const room = alice.join("doc-1");
    await until("she is there", () => room.roster.status === "live" && alice.lobby.getSnapshot().users.length === 1);
    await until("it is known where she is", async () => (await api.get("/users/alice")).body.rooms?.length === 1);
    const bob = ownClient(dial(), "bob", { token: await tokenFor({ sub: "bob" }) });
    await until("Bob sees her", () => bob.lobby.get("alice") !== undefined);
    const events: string[] = [];
    for (const type of ["join", "leave"] as const) bob.lobby.on(type, () => events.push(type));
    const before = asked;
    expect((await api.post("/users/alice/refresh")).body).toEqual({ connections: 2 });
    await until("she has brought another token", () => asked > before);
    await pause(100);
    await untilIn(api, "doc-1", ["alice"]);
    expect(events).toEqual([]);
    expect((await api.post("/users/nobody/refresh")).body).toEqual({ connections: 0 });
  });

  it("[API-26] a new token that grants something else holds at once", async () => {
    const { dial, api } = await start({ jwtSecret: SECRET });
    let grants = ["observe", "presence", "read", "write"];
    const token = (): Promise<string> => tokenFor({ sub: "alice", rooms: { "*": grants, "@lobby": ["observe"] } });
    const room = ownClient(dial(), "alice", { token }).join("doc-1");
    await until("she may write", () => room.grants?.includes("write") === true);
    grants = ["observe", "presence"];
    await api.post("/users/alice/refresh");
    await until("she may write no more", () => room.grants?.includes("write") === false);
  });
});
