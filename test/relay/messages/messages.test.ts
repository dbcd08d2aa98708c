/** One-off messages: from clients and from servers, to everybody who is there. */
import { describe, expect, it } from "vitest";
import type { Json, Room, RoomMessage } from "../../../src/client/index.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { PATCH_SUBPROTOCOL, controlFrame } from "../../../src/wire/index.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";
import { startCalledRelay } from "../api/caller.ts";
import { RawPeer, stateOf } from "../raw.ts";
import { SECRET, tokenFor } from "../tokens.ts";

/** What arrives in a room from now on. */
function heardIn<M>(room: Room<M>): RoomMessage[] {
  const heard: RoomMessage[] = [];
  room.on("message", (message) => heard.push(message));
  return heard;
}

const ids = (room: Room): string =>
  room.roster.users
    .map(({ id }) => id)
    .toSorted()
    .join(" ");

/** Alice and Bob, who see each other in a room. */
async function both(url: string, name = "doc") {
  const [alice, bob] = [ownClient(url, "alice"), ownClient(url, "bob")];
  const [hers, his] = [alice.join(name), bob.join(name)];
  await until("they see each other", () => ids(hers) === "alice bob" && ids(his) === "alice bob");
  return { alice, bob, hers, his };
}

const peer = (url: string, path: string): RawPeer => new RawPeer(url, path, [PATCH_SUBPROTOCOL]);

describe("a client", () => {
  it("[MSG-1] is heard by everyone else in the room, in order, behind what it said of itself, and by nobody later", async () => {
    const { url } = await startRelay();
    const { alice, hers, his } = await both(url);
    const tab = ownClient(url, "alice").join("doc");
    await until("her other tab is there", () => tab.roster.status === "live");
    const [own, other] = [heardIn(hers), heardIn(tab)];
    const seen: string[] = [];
    his.on("message", ({ type, payload }) => {
      const states = [...his.awareness.getStates().values()];
      seen.push(`${type} ${JSON.stringify(payload)} at ${states.map(({ cursor }) => cursor as number).join("")}`);
    });
    hers.awareness.setLocalStateField("cursor", 1);
    expect(hers.broadcast("look", { here: "§4" })).toBe(true);
    hers.awareness.setLocalStateField("cursor", 2);
    expect(hers.broadcast("wave")).toBe(true);
    await until("Bob has heard both", () => seen.length === 2);
    // she moved once more before the second was said, and he saw at least that much before he heard it
    expect(seen.map((line) => line.replace(/ at .*/, ""))).toEqual(['look {"here":"§4"}', "wave null"]);
    expect(seen[1]).toMatch(/2$/);
    await until("so has her other tab", () => other.length === 2);
    expect(other[0]).toMatchObject({ from: { userId: "alice", session: alice.session } });
    const late = heardIn(ownClient(url, "carol").join("doc"));
    his.broadcast("end");
    await until("Alice hears Bob", () => own.some(({ type }) => type === "end"));
    expect(own.map(({ type }) => type)).toEqual(["end"]);
    expect(late.every(({ type }) => type === "end")).toBe(true);
  });

  it("[MSG-1] is told that a message is lost while there is no connection", async () => {
    const { url } = await startRelay();
    const { hers } = await both(url);
    hers.provider.disconnect();
    expect(hers.broadcast("wave")).toBe(false);
  });

  it("[MSG-2] is named by the relay's word, and the relay says when", async () => {
    const { url } = await startRelay({ jwtSecret: SECRET });
    const [alice, bob] = await Promise.all(
      ["alice", "bob"].map(async (sub) => ownClient(url, sub, { token: await tokenFor({ sub }) })),
    );
    const [hers, his] = [alice?.join("doc"), bob?.join("doc")];
    if (hers === undefined || his === undefined) throw new Error("no rooms");
    await until("they see each other", () => ids(hers) === "alice bob" && ids(his) === "alice bob");
    const heard = heardIn(his);
    const mallory = peer(url, `doc?token=${await tokenFor({ sub: "mallory" })}`);
    await until("she is greeted", () => mallory.controls.length > 0);
    mallory.say([9, 1, stateOf("alice", "s_fake")]);
    mallory.send(controlFrame({ kind: "broadcast", type: "look", payload: [1] }));
    await until("Bob hears it", () => heard.length === 1);
    const [message] = heard;
    expect(message).toMatchObject({
      type: "look",
      payload: [1],
      from: { userId: "mallory", session: "s_fake", clientId: 9 },
    });
    expect(Math.abs((message?.timestamp ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it("[MSG-2] needs the grant presence to be heard and observe to hear, and y-websocket clients are sent nothing", async () => {
    const { url, relay } = await startRelay({ jwtSecret: SECRET });
    const token = (sub: string, ...rooms: string[]): Promise<string> => tokenFor({ sub, rooms: { doc: rooms } });
    const [mute, deaf, bob] = [
      peer(url, `doc?token=${await token("mute", "observe", "read")}`),
      peer(url, `doc?token=${await token("deaf", "presence", "read")}`),
      ownClient(url, "bob", { token: await tokenFor({ sub: "bob" }) }).join("doc"),
    ];
    const unknown: string[] = [];
    const stock = stockClient(url, "doc", { params: { token: await tokenFor({ sub: "stock" }) } });
    stock.ws?.addEventListener("message", ({ data }) => {
      if (new Uint8Array(data as ArrayBuffer)[0] === 99) unknown.push("control");
    });
    await until("all are there", () => relay.room("doc")?.connections === 4);
    const heard = heardIn(bob);
    mute.say([1, 1, stateOf("mute", "s1")]);
    mute.send(controlFrame({ kind: "broadcast", type: "mute", payload: null }));
    await mute.settle();
    deaf.say([2, 1, stateOf("deaf", "s2")]);
    deaf.send(controlFrame({ kind: "broadcast", type: "deaf", payload: null }));
    await until("Bob hears one of them", () => heard.length > 0);
    expect(heard.map(({ type }) => type)).toEqual(["deaf"]);
    await until("so do others who may", () => mute.controls.some(({ kind }) => kind === "messages"));
    bob.broadcast("all");
    await until("the next is there", () => mute.controls.filter(({ kind }) => kind === "messages").length === 2);
    await deaf.settle();
    expect(deaf.controls.some(({ kind }) => kind === "messages")).toBe(false);
    expect(unknown).toEqual([]);
    expect(relay.metrics().dropped.message).toBe(1);
  });

  it("[MSG-3] refuses what is too long, too deep or no JSON, and so does the relay", async () => {
    const { url } = await startRelay();
    const { hers, his } = await both(url);
    const heard = heardIn(his);
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    let deep: Json = 1;
    for (let level = 0; level < 63; level++) deep = [deep];
    for (const payload of ["x".repeat(17_000), deep]) expect(() => hers.broadcast("wave", payload)).toThrow(RangeError);
    expect(() => hers.broadcast("wave", circle as Json)).toThrow(TypeError);
    for (const type of ["", "x".repeat(129)]) expect(() => hers.broadcast(type)).toThrow(RangeError);
    expect(hers.broadcast("wave", "x".repeat(16_000))).toBe(true);
    await until("Bob hears what fits", () => heard.length === 1);
    const refused = async (type: string, payload: Json): Promise<unknown> => {
      const raw = peer(url, "doc");
      await until("it is greeted", () => raw.controls.length > 0);
      raw.say([9, 1, stateOf("mallory", "s1")]);
      raw.send(controlFrame({ kind: "broadcast", type, payload }));
      return (await raw.closed).code;
    };
    expect(await refused("wave", "x".repeat(17_000))).toBe(4413);
    expect(await refused("", null)).toBe(4400);
    expect(heard).toHaveLength(1);
  });

  it("[MSG-4] that is invisible, or is not there, is heard by nobody", async () => {
    const { url } = await startRelay();
    const { alice, hers, his } = await both(url);
    const heard = heardIn(his);
    alice.setStatus("invisible");
    await until("Bob sees Alice no more", () => ids(his) === "bob");
    hers.broadcast("secret");
    const nobody = peer(url, "doc");
    await until("it is greeted", () => nobody.controls.length > 0);
    nobody.send(controlFrame({ kind: "broadcast", type: "nobody", payload: null }));
    await nobody.settle();
    alice.setStatus(null);
    await until("she is back", () => ids(his) === "alice bob");
    hers.broadcast("wave");
    await until("Bob hears her", () => heard.length > 0);
    expect(heard.map(({ type }) => type)).toEqual(["wave"]);
  });
});

describe("a flood", () => {
  it("[MSG-9] of a client goes out only as far as the relay takes it, and the connection goes on", async () => {
    const { url } = await startRelay({ messageRate: 100 });
    const { alice, hers, his } = await both(url);
    const heard = heardIn(his);
    const flood = (): number => {
      let count = 0;
      for (let i = 0; i < 1_000; i++) if (hers.broadcast("wave", i)) count++;
      return count;
    };
    const went = flood();
    expect(went).toBeGreaterThanOrEqual(200);
    expect(went).toBeLessThan(220);
    await until("Bob has heard what went out", () => heard.length === went);
    await until("more is taken in time", () => hers.broadcast("again"));
    expect(alice.connection.lastError).toBeNull();
  });

  it("[MSG-9] knows the rate from hello: what both rates of the relay take", async () => {
    const rateOf = async (rates: { readonly messageRate?: number; readonly byteRate?: number }) => {
      const { url } = await startRelay(rates);
      const raw = peer(url, "doc");
      await until("it is greeted", () => raw.controls.length > 0);
      const [hello] = raw.controls;
      return hello?.kind === "hello" ? hello.messageRate : null;
    };
    expect(await rateOf({})).toBe(1_000);
    expect(await rateOf({ byteRate: 2 ** 20 })).toBe(64);
    expect(await rateOf({ messageRate: 0, byteRate: 0 })).toBeUndefined();
  });

  it("[MSG-8] of a server reaches a client that reads whole, and one that does not read is told how much it missed", async () => {
    const { url, relay } = await startRelay();
    const { hers } = await both(url);
    const deaf = peer(url, "doc");
    await until("it is greeted", () => deaf.controls.length > 0);
    const heard = heardIn(hers);
    const missed: number[] = [];
    hers.on("missed", ({ count }) => missed.push(count));
    for (let i = 0; i < 600; i++) relay.broadcast("doc", `${i}`, "x".repeat(1_000));
    await until("Alice has heard all", () => heard.length === 600);
    expect(heard.map(({ type }) => type)).toEqual(Array.from({ length: 600 }, (_, i) => `${i}`));
    expect(missed).toEqual([]);
    // in one turn, so that not even she can read in between
    for (let i = 600; i < 3_000; i++) relay.broadcast("doc", `${i}`, "x".repeat(1_000));
    await until("the last has come", () => heard.at(-1)?.type === "2999");
    expect(missed).toHaveLength(1);
    expect(heard.length + (missed[0] ?? 0)).toBe(3_000);
    await deaf.settle();
    await until("so is the other", () => deaf.controls.some(({ kind }) => kind === "missed"));
  });
});

describe("several relays", () => {
  it("[MSG-6] hand messages on to the people of each other, behind the states that were said before", async () => {
    const bus = new MemoryBus();
    const [here, there] = [await startRelay({ bus }), await startRelay({ bus })];
    const [hers, his] = [ownClient(here.url, "alice").join("doc"), ownClient(there.url, "bob").join("doc")];
    await until("they see each other", () => ids(hers) === "alice bob" && ids(his) === "alice bob");
    const heard: string[] = [];
    his.on("message", ({ type, from }) =>
      heard.push(`${type} ${from?.userId} ${String(his.roster.get("alice")?.meta["page"])}`),
    );
    hers.setMeta({ page: 4 });
    hers.broadcast("look");
    await until("Bob hears Alice", () => heard.length === 1);
    expect(heard).toEqual(["look alice 4"]);
    // no relay needs to have the room open to say something in it
    const third = await startRelay({ bus });
    expect(third.relay.broadcast("doc", "deploy")).toBe(0);
    await until("all hear the server", () => heard.length === 2);
    expect(heard[1]).toBe("deploy undefined 4");
  });

  it("[MSG-6] drop what another relay says that is no message", async () => {
    const bus = new MemoryBus();
    const errors: unknown[] = [];
    const { url } = await startRelay({ bus, onError: (error) => errors.push(error) });
    const { hers, his } = await both(url);
    const heard = heardIn(hers);
    // version 1, kind 15, relay "r", room "doc", no number, no lobby, half a text
    bus.publish("cp1:r:doc", Uint8Array.of(1, 15, 1, 114, 3, 100, 111, 99, 0, 0, 123));
    await until("it is reported", () => errors.length === 1);
    his.broadcast("wave");
    await until("all goes on", () => heard.length === 1);
  });
});

describe("a server", () => {
  it("[MSG-7] is heard by everybody in the room, marked as a server, or by those of one lobby", async () => {
    const { url, relay, api } = await startCalledRelay();
    const { hers } = await both(url);
    const acme = ownClient(url, "carol", { lobby: "acme" }).join("doc");
    await until("all are there", () => relay.room("doc")?.users.length === 3);
    const [heard, there] = [heardIn(hers), heardIn(acme)];
    expect((await api.post("/rooms/doc/messages", { type: "deploy", payload: { inS: 60 } })).body).toEqual({
      connections: 3,
    });
    await until("Alice hears it", () => heard.length === 1);
    expect(heard).toMatchObject([{ type: "deploy", payload: { inS: 60 }, from: null }]);
    expect((await api.post("/rooms/doc/messages?lobby=acme", { type: "acme" })).body.connections).toBe(1);
    expect(relay.broadcast("doc", "done", [1], { lobby: "acme" })).toBe(1);
    expect(relay.broadcast("doc", "all")).toBe(3);
    await until("Carol hears all", () => there.length === 4);
    expect(there.map(({ type, payload }) => [type, payload])).toEqual([
      ["deploy", { inS: 60 }],
      ["acme", null],
      ["done", [1]],
      ["all", null],
    ]);
    await until("Alice hears what is for everybody", () => heard.length === 2);
    expect(relay.broadcast("empty", "wave")).toBe(0);
  });

  it("[MSG-7] may with a write key, in the key's rooms and lobby, and is told what is wrong", async () => {
    const { url, relay, api } = await startCalledRelay({ jwtSecret: SECRET });
    const token = await tokenFor({ sub: "alice" });
    ownClient(url, "alice", { token }).join("doc");
    await until("Alice is there", () => relay.room("doc")?.users.length === 1);
    const send = async (claim: unknown, path: string, body: unknown): Promise<number> => {
      const key = await tokenFor({ sub: "backend", api: claim });
      return (await api.with(key).post(path, body)).status;
    };
    expect(await send("read", "/rooms/doc/messages", { type: "x" })).toBe(403);
    expect(await send("write", "/rooms/doc/messages", { type: "x" })).toBe(200);
    expect(await send({ access: "write", rooms: ["other"] }, "/rooms/doc/messages", { type: "x" })).toBe(403);
    expect(await send({ access: "write", lobby: "acme" }, "/rooms/doc/messages?lobby=b", { type: "x" })).toBe(403);
    for (const body of [{}, { type: "" }, { type: "x", more: 1 }, { type: "x", payload: "y".repeat(17_000) }]) {
      expect(await send("write", "/rooms/doc/messages", body)).toBe(400);
    }
    expect(await send("write", "/rooms/%40lobby/messages", { type: "x" })).toBe(400);
    expect(() => relay.broadcast("@lobby", "x")).toThrow(RangeError);
    expect(() => relay.broadcast("doc", "")).toThrow(RangeError);
    expect(() => relay.broadcast("doc", "x", "y".repeat(17_000))).toThrow(RangeError);
    expect(() => relay.broadcast("doc", "x", (() => 1) as unknown as Json)).toThrow(TypeError);
  });
});
