import { connect } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { Bucket } from "../../src/relay/util/bucket.ts";
import { Spending } from "../../src/relay/flow/spending.ts";
import { createRelay } from "../../src/relay/index.ts";
import {
  EMPTY_STATE_VECTOR,
  KEEP_ALIVE_FRAME,
  QUERY_FRAME,
  syncStep1Frame,
  updateFrame,
} from "../../src/wire/index.ts";
import { closeOf, ownClient, pause, startRelay, stockClient, until } from "../support.ts";
import { type RawPeer, rawPeer, stateOf } from "./raw.ts";
import { SECRET, tokenFor } from "./tokens.ts";

const prompt = { tick: 0, lobbyTick: 0 };

describe("a bucket", () => {
  it("[LIMIT-1] lets through so many seconds' worth at once, then the rate, and one large thing when there is room", () => {
    const bucket = new Bucket(10, 2, 0);
    const taken = (now: number): number => {
      let count = 0;
      while (bucket.take(1, now)) count++;
      return count;
    };
    expect([taken(0), taken(0), taken(1_000), taken(1_500), taken(60_000)]).toEqual([20, 0, 10, 5, 20]);
    expect([bucket.isFull(61_000), bucket.isFull(62_000)]).toEqual([false, true]);
    expect([bucket.take(70, 62_000), bucket.take(1, 66_999), bucket.take(1, 67_001)]).toEqual([true, false, true]);
  });

  it("[LIMIT-1] never lets through more than the burst and the rate, whatever comes when", () => {
    const steps = fc.array(fc.tuple(fc.nat(2_000), fc.nat(20)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (all) => {
        const bucket = new Bucket(10, 2, 0);
        let [now, sum, largest] = [0, 0, 0];
        for (const [elapsed, cost] of all) {
          now += elapsed;
          if (bucket.take(cost, now)) sum += cost;
          largest = Math.max(largest, cost);
        }
        expect(sum).toBeLessThanOrEqual(20 + now / 100 + largest + 1e-6);
      }),
    );
  });
});

describe("what a connection has said of late", () => {
  it("[LIMIT-1] is over when nothing of it counts any more: neither messages, nor bytes, nor what was asked for", () => {
    const limits = { messageRate: 10, byteRate: 1_000 };
    const fresh = (): Spending => new Spending(limits, 0);
    expect(fresh().isOver(0)).toBe(true);
    for (const [spend, overAt] of [
      [(spending: Spending) => spending.says(0, 0), 100],
      [(spending: Spending) => spending.says(500, 0), 500],
      [(spending: Spending) => spending.wasAnswered(7_000, 0), 7_000],
    ] as const) {
      const spending = fresh();
      spend(spending);
      expect([spending.isOver(overAt - 1), spending.isOver(overAt)]).toEqual([false, true]);
    }
    const asked = fresh();
    asked.wasAnswered(7_000, 0);
    expect([asked.mayAsk(1_999), asked.mayAsk(2_001), asked.says(1, 0)]).toEqual([false, true, true]);
    const unlimited = new Spending({ messageRate: 0, byteRate: 0 }, 0);
    expect([unlimited.says(1e9, 0), unlimited.mayAsk(0), unlimited.isOver(0)]).toEqual([true, true, true]);
  });
});

describe("a relay", () => {
  it("[LIMIT-1] closes who says too much too often, and nobody else", async () => {
    const { relay, url } = await startRelay({ ...prompt, messageRate: 20, byteRate: 2_000 });
    const alice = stockClient(url, "doc", { user: { id: "alice" } });
    await until("she is there", () => relay.user("alice") !== undefined);
    const flood = await rawPeer(url, "doc");
    for (let i = 0; i < 200; i++) flood.send(KEEP_ALIVE_FRAME);
    expect(await flood.closed).toEqual({ code: 4529, reason: "too many messages" });
    const large = await rawPeer(url, "doc");
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "x".repeat(9_000));
    for (let i = 0; i < 3; i++) large.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    expect(await large.closed).toEqual({ code: 4529, reason: "too many messages" });
    expect(relay.metrics().closed).toEqual({ 4529: 2 });
    expect(alice.wsconnected).toBe(true);
  });

  it("[LIMIT-1] leaves alone a stock client that says back what it hears", async () => {
    const { relay, url } = await startRelay({ tick: 0, lobbyTick: 1_000 });
    const clients = Array.from({ length: 9 }, (_, i) => stockClient(url, "doc", { user: { id: `u${i}` } }));
    await until("all are there", () => relay.room("doc")?.users.length === 9);
    for (let round = 0; round < 60; round++) {
      for (const client of clients) client.awareness.setLocalStateField("cursor", round);
      await pause(5);
    }
    const last = clients.map((client) => client.doc.clientID);
    await until("each has the last of each", () =>
      clients.every(({ awareness }) => last.every((id) => awareness.getStates().get(id)?.["cursor"] === 59)),
    );
    expect(relay.metrics()).toMatchObject({ connections: 9, closed: {} });
  });

  it("[LIMIT-12] counts by who is known, and lets in again when one has gone", async () => {
    const { relay, url } = await startRelay({ jwtSecret: SECRET, maxUserConnections: 2 });
    const open = async (): Promise<WebSocket> => {
      const socket = new WebSocket(`${url}/doc?token=${await tokenFor({ sub: "alice" })}`);
      socket.on("error", () => {});
      onTestFinished(() => socket.terminate());
      return socket;
    };
    const [first] = [await open(), await open()];
    await until("both are in", () => relay.metrics().connections === 2);
    expect(await closeOf(await open())).toEqual({ code: 4503, reason: "too many connections of yours" });
    expect(relay.metrics().refused).toEqual({ user: 1 });
    first.close();
    await until("it is gone", () => relay.metrics().connections === 1);
    await open();
    await until("there is room", () => relay.metrics().connections === 2);
  });

  it("[LIMIT-2] [LIMIT-6] counts by address, which proxies say only where they are trusted", async () => {
    const { relay, url } = await startRelay({ maxAddressConnections: 1, trustProxy: true });
    const from = (address: string): WebSocket => {
      const socket = new WebSocket(`${url}/doc`, { headers: { "X-Forwarded-For": `9.9.9.9, ${address}` } });
      socket.on("error", () => {});
      onTestFinished(() => socket.terminate());
      return socket;
    };
    from("1.1.1.1");
    await until("one is in", () => relay.metrics().connections === 1);
    expect(await closeOf(from("1.1.1.1"))).toMatchObject({ code: 4503 });
    from("2.2.2.2");
    await until("another is in", () => relay.metrics().connections === 2);
    expect(relay.metrics().refused).toEqual({ address: 1 });
  });

  it("[LIMIT-3] a lobby that is full takes nobody else, but those who are in it", async () => {
    const { relay, url } = await startRelay({ ...prompt, maxLobbyUsers: 2 });
    for (const id of ["alice", "bob"]) stockClient(url, "doc", { user: { id } });
    await until("it is full", () => relay.users().length === 2);
    const carol = await rawPeer(url, "other");
    carol.say([1, 1, stateOf("carol", "s_1")]);
    expect(await carol.closed).toEqual({ code: 4503, reason: "the lobby is full" });
    const again = await rawPeer(url, "other");
    again.say([2, 1, stateOf("alice", "s_2")]);
    await until("she may be in another room", () => relay.user("alice")?.rooms.length === 2);
  });

  it("[LIMIT-10] [LIMIT-11] there are only so many lobbies, those counted in which somebody is remembered", async () => {
    const { relay, url } = await startRelay({ ...prompt, maxLobbies: 2 });
    for (const lobby of ["acme", "other"]) {
      const peer = await rawPeer(url, `doc?lobby=${lobby}`);
      peer.say([1, 1, stateOf("alice", "s_1")]);
      await until("she is there", () => relay.users(lobby).length === 1);
      peer.socket.close(1000);
      await until("she has left", () => relay.users(lobby).length === 0);
    }
    for (const path of ["doc?lobby=third", "@lobby/third", "doc"]) {
      expect(await (await rawPeer(url, path)).closed).toEqual({ code: 4503, reason: "too many lobbies" });
    }
    expect(relay.metrics().refused).toEqual({ lobbies: 3 });
    const again = await rawPeer(url, "doc?lobby=acme");
    again.say([2, 1, stateOf("alice", "s_2")]);
    await until("she is back where there is a lobby", () => relay.users("acme").length === 1);
  });

  it("[LIMIT-11] a lobby counts from when somebody is let in, though nobody has spoken yet", async () => {
    const { relay, url } = await startRelay({ ...prompt, maxLobbies: 2 });
    const peers = await Promise.all(Array.from({ length: 20 }, (_, i) => rawPeer(url, `doc${i}?lobby=l${i}`)));
    const refused = (): RawPeer[] => peers.filter(({ close }) => close?.reason === "too many lobbies");
    await until("all but two are refused", () => refused().length === 18);
    for (const peer of peers.filter(({ close }) => close === undefined)) peer.say([1, 1, stateOf("alice", "s_1")]);
    await until("two speak", () => relay.metrics().users === 2);
    expect([refused().length, relay.metrics().refused]).toEqual([18, { lobbies: 18 }]);
    // one whose connections have gone, and in which nobody is remembered, makes room
    const { relay: silent, url: elsewhere } = await startRelay({ ...prompt, maxLobbies: 1 });
    const first = await rawPeer(elsewhere, "doc?lobby=first");
    first.socket.close(1000);
    await until("it is gone", () => silent.metrics().connections === 0);
    const second = await rawPeer(elsewhere, "doc?lobby=second");
    second.say([1, 1, stateOf("bob", "s_2")]);
    await until("there is room", () => silent.users("second").length === 1);
  });

  it("[LIMIT-8] one user cannot take all lobbies, one after the other, and others still find theirs", async () => {
    const { relay, url } = await startRelay({ ...prompt, jwtSecret: SECRET, maxLobbies: 5, maxUserLobbies: 3 });
    const visit = async (sub: string, lobby: string): Promise<string> => {
      const peer = await rawPeer(url, `doc?lobby=${lobby}&token=${await tokenFor({ sub })}`);
      peer.say([1, 1, stateOf(sub, "s_1")]);
      await until("it is settled", () => peer.close !== undefined || relay.users(lobby).length > 0);
      // they are remembered there
      peer.socket.close(1000);
      await until("they have left", () => relay.users(lobby).length === 0);
      return (await peer.closed).reason || "let in";
    };
    const answers: string[] = [];
    for (let i = 0; i < 5; i++) answers.push(await visit("mallory", `l${i}`));
    expect(answers).toEqual([
      ...Array.from({ length: 3 }, () => "let in"),
      ...Array.from({ length: 2 }, () => "too many lobbies of yours"),
    ]);
    expect(relay.metrics().refused).toEqual({ user: 2 });
    expect(await visit("alice", "acme")).toBe("let in");
    // nor is it charged to those who come into a lobby that there is
    expect(await visit("mallory", "acme")).toBe("let in");
  });

  it("[LIMIT-9] a client that asks again and again for much is sent so much a second", async () => {
    const { url } = await startRelay({ ...prompt, byteRate: 100_000 });
    const doc = new Y.Doc();
    doc.getMap("m").set("k", new Uint8Array(90_000));
    const alice = await rawPeer(url, "doc");
    alice.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    await alice.settle();
    for (const question of [syncStep1Frame(EMPTY_STATE_VECTOR), QUERY_FRAME]) {
      const mallory = await rawPeer(url, "doc");
      alice.say([1, Date.now(), { user: { id: "alice" }, big: "x".repeat(60_000) }]);
      for (let i = 0; i < 30; i++) mallory.send(question);
      expect(await mallory.closed).toEqual({ code: 4529, reason: "too many questions" });
      expect(mallory.received.length).toBeLessThan(20);
    }
  });

  it("[LIMIT-4] metadata has a limit of its own", async () => {
    const { relay, url } = await startRelay({ ...prompt, maxMeta: 100 });
    const peer = await rawPeer(url, "doc");
    const meta = (length: number) => ({ meta: { text: "x".repeat(length) }, other: "y".repeat(200) });
    peer.say([1, 1, stateOf("alice", "s_1", meta(80))]);
    await until("she is there", () => relay.user("alice") !== undefined);
    peer.say([1, 2, stateOf("alice", "s_1", meta(100))]);
    expect(await peer.closed).toEqual({ code: 4413, reason: "session metadata larger than 100 bytes" });
  });

  it("[LIMIT-5] cuts off who does not finish asking, and who asks for nothing", async () => {
    const { relay, port, url } = await startRelay({ handshakeTimeout: 300 });
    const ends = ["", "GET /doc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"].map(async (start) => {
      const socket = connect(port, "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      socket.on("error", () => {}).resume();
      socket.write(start);
      const startedAt = performance.now();
      await new Promise((resolve) => socket.once("close", resolve));
      return performance.now() - startedAt;
    });
    const alice = stockClient(url, "doc");
    for (const ms of await Promise.all(ends)) expect(ms).toBeLessThan(2_000);
    await until("others are served", () => alice.synced);
    // nor is one that is open cut off
    await pause(600);
    expect([alice.wsconnected, relay.metrics().closed]).toEqual([true, {}]);
  });

  it("[AUTH-9] lets in pages of known origins, and what is no page", async () => {
    const { relay, url } = await startRelay({ origins: ["https://a.example"] });
    const from = (origin?: string): WebSocket => {
      const socket = new WebSocket(`${url}/doc`, origin === undefined ? {} : { origin });
      socket.on("error", () => {});
      onTestFinished(() => socket.terminate());
      return socket;
    };
    for (const origin of ["https://evil.example", "https://a.example.evil.example", "http://a.example", "null"]) {
      expect(await closeOf(from(origin))).toEqual({ code: 4403, reason: "pages from your origin are not allowed" });
    }
    from("https://a.example");
    from();
    await until("both are in", () => relay.metrics().connections === 2);
    expect(relay.metrics().refused).toEqual({ origin: 4 });
  });

  it("[LIMIT-7] says what it counts", async () => {
    const { relay, url } = await startRelay(prompt);
    const alice = ownClient(url, "alice");
    alice.join("doc");
    await until("she is there", () => relay.user("alice")?.rooms.length === 1);
    expect(await closeOf(new WebSocket(`${url}/@x`))).toMatchObject({ code: 4403 });
    expect(await closeOf(await rawPeer(url, "doc").then(({ socket }) => (socket.close(4999), socket)))).toBeDefined();
    await until("it is counted", () => relay.metrics().closed["other"] === 1);
    const response = await fetch(`${url.replace("ws:", "http:")}/metrics`);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split("\n");
    for (const line of [
      "# TYPE copresence_connections gauge",
      "copresence_connections 2",
      "copresence_rooms 1",
      "copresence_users 1",
      "copresence_unsent_bytes 0",
      "copresence_accepted_total 3",
      'copresence_refused_total{reason="reserved"} 1',
      'copresence_closed_total{code="other"} 1',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.at(-1)).toBe("");
  });

  it("[AUTH-8] that asks nobody listens to this machine alone, unless told otherwise", async () => {
    const relay = createRelay();
    await expect(relay.listen(0, "0.0.0.0")).rejects.toThrow("at 0.0.0.0 anybody could come as anybody");
    for (const config of [{ open: true }, { jwtSecret: SECRET }]) {
      const other = createRelay(config);
      onTestFinished(() => other.close());
      expect((await other.listen(0, "0.0.0.0")).port).toBeGreaterThan(0);
    }
  });
});
