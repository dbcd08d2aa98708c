/** Unmodified y-websocket clients, against the contract that they know nothing of. */
import { describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import type { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { awarenessFrame, encodeEntries } from "../../src/wire/index.ts";
import { rawPeer } from "../relay/raw.ts";
import { ownClient, pause, poll, startRelay, stockClient, until } from "../support.ts";

const alice = { id: "alice", name: "Alice" };
const bob = { id: "bob", name: "Bob" };
const prompt = { tick: 0, lobbyTick: 0 };

/** The names that a client sees besides its own. */
function seenBy({ awareness }: WebsocketProvider): string[] {
  const others = [...awareness.getStates()].filter(([id]) => id !== awareness.clientID);
  return others.map(([, state]) => String(state["user"]?.name)).toSorted();
}

const textOf = ({ doc }: WebsocketProvider): string => doc.getText("t").toJSON();

const socketOf = (client: WebsocketProvider): WebSocket => client.ws as unknown as WebSocket;
const synced = (client: WebsocketProvider): Promise<void> => until("synced", () => client.synced);

/** Ends its connection, and it does not come back by itself. */
function end(client: WebsocketProvider, how: "tab closed" | "cut off"): void {
  client.shouldConnect = false;
  if (how === "tab closed") socketOf(client).close(1001);
  else socketOf(client).terminate();
}

async function aliceAndBob(url: string, room = "doc") {
  const clients = { alice: stockClient(url, room, { user: alice }), bob: stockClient(url, room, { user: bob }) };
  await until("they see each other", () => seenBy(clients.alice)[0] === "Bob" && seenBy(clients.bob)[0] === "Alice");
  return clients;
}

describe("in a room", () => {
  it("[ROOM-1] Alice and Bob share text and see each other's cursors, until one leaves", async () => {
    const { url } = await startRelay();
    const { alice: a, bob: b } = await aliceAndBob(url);
    a.doc.getText("t").insert(0, "Hello ");
    await until("Bob has it", () => textOf(b) === "Hello ");
    b.doc.getText("t").insert(6, "Alice");
    await until("Alice has it", () => textOf(a) === "Hello Alice");

    b.awareness.setLocalStateField("cursor", { anchor: 3 });
    await until("Alice sees the cursor", () => a.awareness.getStates().get(b.doc.clientID)?.["cursor"]?.anchor === 3);
    b.destroy();
    await until("Alice sees Bob gone", () => seenBy(a).length === 0);
    expect(a.wsconnected).toBe(true);
  });

  it("[ROOM-3] [ROOM-4] a document outlives the last to leave, and the next gets it whole", async () => {
    const { relay, url } = await startRelay();
    const { alice: a, bob: b } = await aliceAndBob(url);
    a.doc.getText("t").insert(0, "kept");
    await until("Bob has it", () => b.doc.getText("t").length === 4);
    b.doc.getText("t").delete(0, 1);
    a.destroy();
    b.destroy();
    await until("the room is freed", () => relay.rooms().length === 0);
    for (let i = 0; i < 2; i++) {
      const carol = stockClient(url, "doc");
      await synced(carol);
      expect(textOf(carol)).toBe("ept");
      carol.destroy();
      await until("the room is freed again", () => relay.room("doc") === undefined);
    }
  });

  it("[ROOM-2] the relay makes no document of presence alone", async () => {
    const { relay, url } = await startRelay();
    const { alice: a, bob: b } = await aliceAndBob(url);
    await Promise.all([synced(a), synced(b)]);
    expect(relay.room("doc")).toMatchObject({ connections: 2, hasDocument: false });
    a.doc.getMap("m").set("k", 1);
    await until("Bob has it", () => b.doc.getMap("m").get("k") === 1);
    expect(relay.room("doc")?.hasDocument).toBe(true);
  });

  it("[USER-1] [STATE-2] a signed-in user of two tabs is one user, and each nameless tab is a guest", async () => {
    const { relay, url } = await startRelay(prompt);
    const clients = [alice, alice, undefined, undefined].map((user) =>
      stockClient(url, "doc", user === undefined ? {} : { user }),
    );
    // a stock client says nothing of itself until it has something to say
    for (const client of clients.slice(2)) client.awareness.setLocalStateField("cursor", 1);
    await until("all are there", () => relay.room("doc")?.users.flatMap((user) => user.sessions).length === 4);
    const guests = clients.slice(2).map((client) => `guest:${client.doc.clientID}`);
    const idsInLobby = (): string[] => relay.users().map((user) => user.id);
    await expect.poll(() => idsInLobby().toSorted(), poll).toEqual(["alice", ...guests].toSorted());
    clients[0]!.destroy();
    clients[2]!.destroy();
    await until("one guest has left", () => relay.users().length === 2);
    expect(relay.user("alice")?.sessions).toHaveLength(1);
  });
});

describe("leaving", () => {
  it("[LIVE-3] one that closes its tab leaves at once; one that is cut off gets the grace", async () => {
    const leaveGrace = 400;
    const { url } = await startRelay({ ...prompt, leaveGrace });
    const { alice: a, bob: b } = await aliceAndBob(url);
    end(b, "tab closed");
    await until("Alice sees Bob gone", () => seenBy(a).length === 0, leaveGrace / 2);

    const carol = stockClient(url, "doc", { user: { id: "carol", name: "Carol" } });
    await until("Alice sees Carol", () => seenBy(a).length === 1);
    const cutAt = performance.now();
    end(carol, "cut off");
    await until("Alice sees Carol gone", () => seenBy(a).length === 0);
    expect(performance.now() - cutAt).toBeGreaterThan(leaveGrace - 5);
  });

  it("[LIVE-2] one that is cut off and comes back in time was never gone", async () => {
    const { relay, url } = await startRelay({ ...prompt, leaveGrace: 1_000 });
    const { alice: a, bob: b } = await aliceAndBob(url);
    const log: string[] = [];
    relay.on("join", (event) => log.push(event.type));
    relay.on("leave", (event) => log.push(event.type));
    a.awareness.on("change", ({ added, removed }: { added: number[]; removed: number[] }) => {
      log.push(...added.map(() => "added"), ...removed.map(() => "removed"));
    });
    socketOf(b).terminate();
    await until("the relay knows", () => relay.user("bob")?.reconnecting === true);
    await until("Bob is back", () => relay.user("bob")?.reconnecting === false);
    // past the grace he is still there
    await pause(1_100);
    expect(log).toEqual([]);
    expect(seenBy(a)).toEqual(["Bob"]);
  });

  it("[OWN-6] [LIVE-10] one that comes back after it was given up is seen again at once, and sees the others", async () => {
    const { relay, url } = await startRelay({ ...prompt, leaveGrace: 0 });
    const { alice: a, bob: b } = await aliceAndBob(url);
    end(b, "cut off");
    await until("Alice sees Bob gone", () => seenBy(a).length === 0);
    // what Bob hears on his return is newer than what he knew: he will say it back
    a.awareness.setLocalStateField("cursor", 1);
    await until("the relay has it", () => relay.room("doc")?.users.length === 1);
    b.connect();
    await until("Alice sees Bob", () => seenBy(a)[0] === "Bob", 1_000);
    await until("Bob sees Alice", () => seenBy(b)[0] === "Alice", 1_000);

    // each still speaks for themselves, and for nobody else
    b.awareness.setLocalStateField("cursor", 2);
    await until("Alice sees the cursor", () => a.awareness.getStates().get(b.doc.clientID)?.["cursor"] === 2);
    a.destroy();
    await until("Bob sees Alice gone", () => seenBy(b).length === 0);
    expect(relay.users().map((user) => user.id)).toEqual(["bob"]);
  });

  it("[LIVE-10] what one changed while it was cut off is not undone by what others were told meanwhile", async () => {
    const { relay, url } = await startRelay({ ...prompt, leaveGrace: 60_000 });
    const { alice: a, bob: b } = await aliceAndBob(url);
    const carol = stockClient(url, "doc", { user: { id: "carol", name: "Carol" } });
    await until("all see all", () => [a, b, carol].every((client) => seenBy(client).length === 2));
    end(carol, "tab closed");
    end(b, "cut off");
    await until("both are gone", () => relay.room("doc")?.connections === 1);
    // newcomers that may have been here before are sent clocks above those that Carol and Bob remember
    for (const id of ["dave", "erin", "frank", "grace"]) {
      const late = stockClient(url, "doc", { user: { id, name: id } });
      await until("it sees Bob", () => seenBy(late).includes("Bob"));
    }
    b.awareness.setLocalStateField("cursor", "offline");
    b.connect();
    await until("Bob sees all", () => seenBy(b).length === 5, 1_000);
    await until("Alice sees the cursor", () => a.awareness.getStates().get(b.doc.clientID)?.["cursor"] === "offline");
    expect(b.awareness.getLocalState()).toEqual({ user: bob, cursor: "offline" });
  });

  it("[LIVE-10] after a restart of the relay all see all as soon as they are back", async () => {
    const first = await startRelay();
    const { alice: a, bob: b } = await aliceAndBob(first.url);
    // the first relay's clocks go up
    for (let i = 0; i < 20; i++) {
      a.awareness.setLocalStateField("cursor", i);
      await pause(2);
    }
    await first.relay.close();
    await until("both are down", () => seenBy(a).length + seenBy(b).length === 0);
    await startRelay({}, first.port);
    await until("both are back", () => a.synced && b.synced);
    await until("they see each other", () => seenBy(a)[0] === "Bob" && seenBy(b)[0] === "Alice", 1_000);
    expect(b.awareness.getStates().get(a.doc.clientID)?.["cursor"]).toBe(19);
  });

  it("[OWN-3] one that comes back while its old connection still seems open is the same client on", async () => {
    const { relay, url } = await startRelay({ ...prompt, leaveGrace: 100 });
    const { alice: a, bob: b } = await aliceAndBob(url);
    const old = socketOf(b);
    // nothing of the old connection's end reaches the relay; y-websocket gives it up like this after 30 s of silence
    old.pause();
    Object.assign(old, { close: () => {} });
    (b.ws as { onclose: (event: unknown) => void }).onclose({ code: 1006 });
    await until("Bob is back", () => b.synced);
    await until("both connections are open", () => relay.room("doc")?.connections === 3);
    await until("Bob sees Alice", () => seenBy(b)[0] === "Alice", 1_000);
    b.awareness.setLocalStateField("cursor", 2);
    await until("Alice sees the cursor", () => a.awareness.getStates().get(b.doc.clientID)?.["cursor"] === 2);
    old.terminate();
    await until("the old connection is gone", () => relay.room("doc")?.connections === 2);
    await pause(200);
    expect(seenBy(a)).toEqual(["Bob"]);
    end(b, "tab closed");
    await until("Alice sees Bob gone", () => seenBy(a).length === 0);
  });
});

describe("echoes", () => {
  it("[OWN-1] a reader without a state of its own that says everything back holds nobody", async () => {
    const { relay, url } = await startRelay(prompt);
    const reader = stockClient(url, "doc");
    reader.awareness.setLocalState(null);
    await synced(reader);
    const { alice: a, bob: b } = await aliceAndBob(url);
    await until("the reader sees both", () => seenBy(reader).length === 2);
    for (let i = 0; i < 20; i++) {
      a.awareness.setLocalStateField("cursor", i);
      b.awareness.setLocalStateField("cursor", i);
      await pause(5);
    }
    // an echo is the end of it, or it went to and fro for ever
    const cursors = (): unknown[] => [...reader.awareness.getStates().values()].map((state) => state["cursor"]);
    await until("all is said", () => cursors().join() === "19,19");
    await pause(100);
    let messages = 0;
    socketOf(reader).on("message", () => messages++);
    await pause(300);
    expect(messages).toBe(0);
    // it says their last states back to a relay that has just been told that they are gone
    end(a, "tab closed");
    b.destroy();
    await until("nobody is there", () => relay.room("doc")?.users.length === 0);
    await until("the reader sees nobody", () => seenBy(reader).length === 0);
    await pause(100);
    expect(relay.users()).toEqual([]);
    expect(reader.wsconnected).toBe(true);
  });

  it("[OWN-1] a sibling tab that hears Alice drop removes nobody else", async () => {
    const { url } = await startRelay(prompt);
    const { alice: a, bob: b } = await aliceAndBob(url);
    const carol = stockClient(url, "doc", { user: { id: "carol", name: "Carol" } });
    await until("all see all", () => [a, b, carol].every((client) => seenBy(client).length === 2));
    // what y-websocket's BroadcastChannel makes of it: Bob's tab believes that Alice and Carol are gone, and says so
    const gone = [a.doc.clientID, carol.doc.clientID];
    for (const id of gone) b.awareness.states.delete(id);
    b.awareness.emit("update", [{ added: [], updated: [], removed: gone }, "sibling"]);
    b.awareness.setLocalStateField("cursor", 1);
    await until("Carol has heard all that Bob said", () => {
      return carol.awareness.getStates().get(b.doc.clientID)?.["cursor"] === 1;
    });
    expect(seenBy(carol)).toEqual(["Alice", "Bob"]);
    expect(seenBy(a)).toEqual(["Bob", "Carol"]);
  });

  it("[WIRE-3] [OWN-1] a state that grows when it is written anew is held against nobody who says it back", async () => {
    const { relay, url } = await startRelay({ ...prompt, maxState: 1_000 });
    const { alice: a, bob: b } = await aliceAndBob(url);
    const reader = stockClient(url, "doc");
    reader.awareness.setLocalState(null);
    const mallory = await rawPeer(url, "doc");
    // 1e20 is written as 100000000000000000000
    const state = `{"user":{"id":"mallory","name":"Mallory"},"n":[${Array(150).fill("1e20").join()}]}`;
    mallory.send(awarenessFrame(encodeEntries([{ id: 7, clock: 1, state: new TextEncoder().encode(state) }])));
    await until("all see Mallory", () => [a, b, reader].every((client) => seenBy(client).includes("Mallory")));
    mallory.socket.terminate();
    a.awareness.setLocalStateField("cursor", 1);
    await until("Bob hears Alice", () => b.awareness.getStates().get(a.doc.clientID)?.["cursor"] === 1);
    await pause(100);
    expect([a, b, reader].map((client) => client.wsconnected)).toEqual([true, true, true]);
    expect(relay.room("doc")?.connections).toBe(3);
  });

  it("[OWN-2] many who go at once are said back by those who stay, and none of them is closed for it", async () => {
    const { relay, url } = await startRelay({ ...prompt, leaveGrace: 0 });
    const { alice: a } = await aliceAndBob(url);
    const crowd = await Promise.all(
      Array.from({ length: 4 }, async (_, i) => {
        const peer = await rawPeer(url, "doc");
        const ids = Array.from({ length: 64 }, (__, j) => 1_000 + 64 * i + j);
        peer.say(...ids.map((id) => [id, 1, { user: { name: `${id}` } }] as const));
        return peer;
      }),
    );
    await until("Alice sees the crowd", () => seenBy(a).length === 257);
    for (const peer of crowd) peer.socket.terminate();
    await until("Alice sees them gone", () => seenBy(a).length === 1);
    a.awareness.setLocalStateField("cursor", 1);
    await pause(100);
    expect(a.wsconnected).toBe(true);
    expect(relay.room("doc")?.connections).toBe(2);
  });
});

describe("reading a lobby", () => {
  interface ShardJson {
    [userId: string]: { user: object; sessions: { [id: string]: { since: number } }; lastSeen: number };
  }
  const shardsIn = ({ doc }: WebsocketProvider): Record<string, ShardJson> => doc.getMap("shards").toJSON();
  const statesIn = ({ awareness }: WebsocketProvider): unknown[] =>
    [...awareness.getStates()].filter(([id]) => id !== awareness.clientID).map(([, state]) => state);

  it("[LOBBY-1] [LOBBY-2] [LOBBY-3] a third sees document and awareness exactly as documented", async () => {
    const before = Date.now();
    const { relay, url } = await startRelay(prompt);
    const carol = stockClient(url, "@lobby");
    const dave = stockClient(url, "@lobby", { user: { id: "dave", name: "Dave" } });
    const a = ownClient(url, "alice", {
      user: { ...alice, color: "#30bced", colorLight: "#30bced33", avatar: "https://a.test/a.png" },
      meta: { file: "a.ts" },
      device: "mobile",
    });
    const rooms = [a.join("two"), a.join("one")];
    const b = stockClient(url, "one", { user: bob });
    const readers = [carol, dave];
    await until("everybody is in the document", () =>
      readers.every((reader) => {
        const shard = shardsIn(reader)[relay.shard];
        return (
          shard?.["alice"]?.sessions[a.session] !== undefined &&
          shard["bob"] !== undefined &&
          shard["dave"] !== undefined
        );
      }),
    );
    await until("both rooms are in it", () => JSON.stringify(shardsIn(carol)).includes('"rooms":["one","two"]'));

    const after = Date.now();
    const shards = shardsIn(carol);
    const time = expect.toSatisfy((at: unknown) => typeof at === "number" && at >= before && at <= after) as number;
    const stock = (client: WebsocketProvider, inRooms: string[]) => ({
      [`client:${client.doc.clientID}`]: { status: "online", device: "unknown", since: time, rooms: inRooms, meta: {} },
    });
    expect(shards).toEqual({
      [relay.shard]: {
        alice: {
          user: { name: "Alice", color: "#30bced", colorLight: "#30bced33", avatar: "https://a.test/a.png" },
          sessions: {
            [a.session]: {
              status: "online",
              device: "mobile",
              since: time,
              rooms: ["one", "two"],
              meta: { file: "a.ts" },
            },
          },
          lastSeen: time,
        },
        bob: { user: { name: "Bob" }, sessions: stock(b, ["one"]), lastSeen: time },
        dave: { user: { name: "Dave" }, sessions: stock(dave, []), lastSeen: time },
      },
    });
    // the relay's state and nobody else's, though Dave and Alice announce themselves and Carol an empty state
    for (const reader of readers) {
      expect(statesIn(reader)).toEqual([{ copresence: { relay: { shard: relay.shard, startedAt: time } } }]);
    }

    a.setStatus("dnd");
    await until("the choice is in the document", () =>
      JSON.stringify(shardsIn(carol)).includes('"manual":{"status":"dnd","at":'),
    );
    rooms[0]!.leave();
    await until("the room that she left is not", () => JSON.stringify(shardsIn(dave)).includes('"rooms":["one"]'));
    const leftAt = Date.now();
    a.destroy();
    await until("she left", () => Object.keys(shardsIn(carol)[relay.shard]!["alice"]!.sessions).length === 0);
    const left = shardsIn(carol)[relay.shard]!["alice"]!;
    expect(left).toMatchObject({ user: { name: "Alice" }, sessions: {} });
    expect(left.lastSeen).toBeGreaterThanOrEqual(leftAt);
  });

  it("[LOBBY-3] an empty state announces nobody, in a lobby alone", async () => {
    const { relay, url } = await startRelay(prompt);
    const carol = stockClient(url, "@lobby");
    carol.awareness.setLocalState({});
    await synced(carol);
    const guest = stockClient(url, "doc");
    // y-protocols takes the first state of others only once they say it again
    guest.awareness.setLocalState({});
    await until("the guest of the room is there", () => relay.users().length === 1);
    expect(relay.users()[0]?.id).toBe(`guest:${guest.doc.clientID}`);

    carol.awareness.setLocalState({ user: { id: "carol" } });
    await until("Carol announced herself", () => relay.user("carol") !== undefined);
    carol.awareness.setLocalState({});
    await until("Carol took it back", () => relay.user("carol")?.status === "offline");
    expect(relay.users()).toHaveLength(1);
  });

  it("[LOBBY-4] what a client writes to the document reaches nobody", async () => {
    const { relay, url } = await startRelay(prompt);
    const carol = stockClient(url, "@lobby");
    const dave = stockClient(url, "@lobby");
    stockClient(url, "doc", { user: alice });
    await until("Alice is there for both", () =>
      [carol, dave].every((r) => JSON.stringify(shardsIn(r)).includes("Alice")),
    );
    const shard = carol.doc.getMap<Y.Map<unknown>>("shards").get(relay.shard)!;
    carol.doc.transact(() => {
      shard.delete("alice");
      shard.set("mallory", { user: { name: "Mallory" }, sessions: {}, lastSeen: 0 });
      carol.doc.getMap("shards").set("r_forged", new Y.Map());
    });
    const b = stockClient(url, "doc", { user: bob });
    await until("Dave hears of Bob", () => JSON.stringify(shardsIn(dave)).includes("Bob"));
    const late = stockClient(url, "@lobby");
    await until("so does a newcomer", () => JSON.stringify(shardsIn(late)).includes("Bob"));
    for (const reader of [dave, late]) {
      expect(Object.keys(shardsIn(reader))).toEqual([relay.shard]);
      expect(Object.keys(shardsIn(reader)[relay.shard]!).toSorted()).toEqual(["alice", "bob"]);
    }
    expect(b.wsconnected && carol.wsconnected).toBe(true);
  });

  it("[LOBBY-8] each lobby knows those who count in it, and no others", async () => {
    const { relay, url } = await startRelay(prompt);
    const readers = ["@lobby", "@lobby/acme", "@lobby/other"].map((name) => stockClient(url, name));
    stockClient(url, "doc", { user: alice });
    stockClient(url, "doc", { user: bob, params: { lobby: "acme" } });
    const c = stockClient(url, "elsewhere", { user: { id: "carol", name: "Carol" }, params: { lobby: "@lobby/acme" } });
    await until("all are counted", () => relay.users().length === 1 && relay.users("acme").length === 2);
    const names = (reader: WebsocketProvider): string[] => Object.keys(shardsIn(reader)[relay.shard] ?? {}).toSorted();
    await until("the readers know", () => names(readers[0]!).length === 1 && names(readers[1]!).length === 2);
    expect(readers.map(names)).toEqual([["alice"], ["bob", "carol"], []]);
    // the room itself is one: who is in it sees everybody in it
    await until("the room has both", () => relay.room("doc")?.users.length === 2);
    expect(
      relay
        .users("@lobby/acme")
        .map((user) => user.id)
        .toSorted(),
    ).toEqual(["bob", "carol"]);
    expect(c.wsconnected).toBe(true);
  });
});

describe("close codes", () => {
  it("[LIVE-7] a client comes back to a relay that restarts, and never to one that refused it", async () => {
    const first = await startRelay();
    const a = stockClient(first.url, "doc", { user: alice });
    await synced(a);
    const refused = stockClient(first.url, "@reserved");
    let closed: unknown;
    refused.on("closed", (event) => (closed = event));
    await until("it is refused", () => closed !== undefined);
    expect(closed).toEqual({ code: 4403, reason: "room names that start with @ are reserved" });
    expect(refused.shouldConnect).toBe(false);

    const codes: (number | undefined)[] = [];
    a.on("connection-close", (event) => codes.push(event?.code));
    await first.relay.close();
    const second = await startRelay({}, first.port);
    await until("Alice is back", () => second.relay.user("alice") !== undefined);
    expect(codes[0]).toBe(1012);
    expect(a.shouldConnect).toBe(true);
  });
});
