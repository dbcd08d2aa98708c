/** A backend that acts on a user, and asks who is there, by the HTTP API of any relay. */
import { expect, it } from "vitest";
import { FrameError } from "../../../src/wire/index.ts";
import { readKick } from "../../../src/relay/cluster/kicks.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { closeOf, ownClient, rawClient, until } from "../../support.ts";
import { startCalledRelay } from "../api/caller.ts";
import { SECRET, tokenFor } from "../tokens.ts";

/** Two relays with their HTTP API, Alice on the first and Bob on the second, both in one room. */
async function two() {
  const bus = new MemoryBus();
  const [here, there] = [
    await startCalledRelay({ jwtSecret: SECRET, bus }),
    await startCalledRelay({ jwtSecret: SECRET, bus }),
  ];
  const alice = ownClient(here.url, "alice", { token: await tokenFor({ sub: "alice" }) });
  const asked: number[] = [];
  const bob = ownClient(there.url, "bob", {
    token: async () => {
      asked.push(1);
      return tokenFor({ sub: "bob" });
    },
  });
  const [hers, his] = [alice.join("doc"), bob.join("doc")];
  await until("both see both", () =>
    [hers.roster, his.roster, alice.lobby, bob.lobby].every(({ users }) => users.length === 2),
  );
  return { bus, here, there, alice, bob, hers, his, asked };
}

it("[BUS-33] [BUS-34] a user who is disconnected by one relay is closed and refused by all, and by one that starts later", async () => {
  const { bus, here, bob, alice, hers, there } = await two();
  const done = await here.api.post("/users/bob/disconnect", { reason: "enough", forMs: 60_000 });
  expect(done.status).toBe(200);
  await until("Bob is told why", () => bob.refusal !== null);
  expect(bob.refusal).toMatchObject({ code: 4403, reason: "enough" });
  await until("Alice sees him no more", () => hers.roster.get("bob") === undefined && alice.lobby.users.length === 1);
  const token = await tokenFor({ sub: "bob" });
  const later = await startCalledRelay({ jwtSecret: SECRET, bus });
  for (const { url } of [here, there, later]) {
    await until("he is refused", async () => {
      const refused = await rawClient(url, `doc?token=${token}`);
      return (await closeOf(refused)).code === 4403;
    });
  }
  await there.api.post("/users/bob/disconnect", {});
  ownClient(here.url, "bob", { token }).join("doc");
  await until("another word ends it everywhere", () => here.relay.user("bob")?.status === "online");
});

it("[BUS-42] the HTTP API counts the connections of all relays, and does not wait for one that does not say", async () => {
  const { bus, here, there, bob, his } = await two();
  const alsoBob = ownClient(here.url, "bob", { token: await tokenFor({ sub: "bob" }) });
  alsoBob.join("doc");
  await until("both his tabs are there", () => his.roster.get("bob")?.sessions.length === 2);
  // each is in the room and in the lobby
  expect((await here.api.post("/users/bob/refresh", {})).body.connections).toBe(4);
  bus.publish("cp1:beat", new Uint8Array([1, 0, 3, 114, 95, 120, 0, 0]));
  await until("one that answers nothing is heard", () => there.relay.metrics().bus?.relays === 2);
  expect((await there.api.post("/users/bob/disconnect", { forMs: 60_000 })).body.connections).toBe(4);
  await until("he is out", () => bob.refusal !== null && alsoBob.refusal !== null);
  expect(there.relay.disconnect("alice").connections).toBe(0);
});

it("[BUS-33] a user who is to bring a new token is asked by all relays", async () => {
  const { here, asked } = await two();
  const before = asked.length;
  expect(here.relay.refresh("bob")).toBe(0);
  await until("Bob's client brings one", () => asked.length > before);
});

it("[BUS-1] [BUS-14] whichever relay is asked answers with the people of all, also with those whom a server has set", async () => {
  const { here, there, alice } = await two();
  const put = await there.api.put("/rooms/doc/members/s_robot", {
    user: { id: "robot", name: "Robot" },
    ttlMs: 60_000,
  });
  expect(put.status).toBe(200);
  await until("Alice sees the robot", () => alice.lobby.get("robot") !== undefined);
  for (const { api } of [here, there]) {
    const names = async (): Promise<string[]> => (await api.get("/users")).body.users.map(({ id }) => id).toSorted();
    await until("all people are answered", async () => (await names()).join() === "alice,bob,robot");
    const room = async () => (await api.get("/rooms/doc")).body;
    await until("the room has all of them", async () => (await room()).counts.users === 3);
    const { body } = await api.post("/rooms:batch", { rooms: ["doc"], people: true });
    expect(body.rooms[0]?.users.map(({ id }) => id).toSorted()).toEqual(["alice", "bob", "robot"]);
  }
});

it("[BUS-2] a kick that names nobody, or no code, is not taken", () => {
  const read = (value: unknown) => readKick(new TextEncoder().encode(JSON.stringify(value)));
  expect(read({ userId: "bob", lobby: null })).toEqual({ said: { userId: "bob", lobby: null }, id: null });
  for (const wrong of [null, {}, { userId: "bob" }, { userId: "bob", lobby: null, code: 9, reason: "", forMs: 0 }]) {
    expect(() => read(wrong)).toThrow(FrameError);
  }
});
