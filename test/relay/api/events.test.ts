/** Events over HTTP: what listeners are told, what they missed, and what becomes of those who do not read. */
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { EventLog } from "../../../src/relay/api/events/log.ts";
import { EventStream } from "../../../src/relay/api/events/stream.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { type Relay, createRelay } from "../../../src/relay/index.ts";
import { ownClient, stockClient, until } from "../../support.ts";
import { SECRET, tokenFor } from "../tokens.ts";
import { KEY, type Send, type UserBody, overHttp, startCalledRelay } from "./caller.ts";
import { hosts, untilIn } from "./hosts.ts";

interface Heard {
  readonly id: string;
  readonly type: string;
  readonly userId: string;
  readonly roomId: string;
  readonly user: UserBody;
  readonly places: readonly { readonly roomId: string; readonly users: readonly UserBody[] }[];
}

class Listener {
  readonly heard: Heard[] = [];
  readonly #abort = new AbortController();
  status = 0;

  /** @param host the port of a relay, or what sends requests to one */
  constructor(
    host: number | Send,
    query = "",
    { key = KEY, lastId }: { key?: string; lastId?: string | undefined } = {},
  ) {
    const headers = { authorization: `Bearer ${key}`, ...(lastId !== undefined && { "last-event-id": lastId }) };
    const request = new Request(`http://relay/api/v1/events${query}`, { headers, signal: this.#abort.signal });
    void this.#read((typeof host === "number" ? overHttp(host) : host)(request)).catch(() => {});
    onTestFinished(() => this.stop());
  }

  get lastId(): string | undefined {
    return this.heard.at(-1)?.id;
  }

  /** In short: the type, whom it is of, and where. */
  get said(): string[] {
    return this.heard.map(({ type, userId, roomId }) => (type === "reset" ? type : `${type} ${userId} ${roomId}`));
  }

  stop(): void {
    this.#abort.abort();
  }

  async #read(answer: Promise<Response>): Promise<void> {
    const response = await answer;
    this.status = response.status;
    if (response.headers.get("content-type") !== "text/event-stream") return;
    let text = "";
    const decoder = new TextDecoder();
    const reader = response.body!.getReader();
    // one who is told by a function, not over a socket, has to say that nobody listens
    this.#abort.signal.addEventListener("abort", () => void reader.cancel().catch(() => {}));
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const messages = text.split("\n\n");
      text = messages.pop()!;
      for (const message of messages) {
        const fields = Object.fromEntries(message.split("\n").map((line) => line.split(/: (.*)/s)));
        if (fields["data"] === undefined) continue;
        const data = JSON.parse(fields["data"]) as Heard;
        if (fields["id"] !== data.id || fields["event"] !== data.type)
          throw new Error(`not as its data says: ${message}`);
        this.heard.push(data);
      }
    }
  }
}

const placesOf = ({ places }: Heard): Record<string, string[]> =>
  Object.fromEntries(places.map(({ roomId, users }) => [roomId, users.map(({ id }) => id)]));

describe.each(hosts)("listening to %s [API-39]", (_host, start) => {
  it("[API-27] [API-29] first who is in a room and in the lobby, then each change", async () => {
    const { dial, send, api } = await start();
    const alice = ownClient(dial(), "alice");
    const room = alice.join("doc-1");
    await untilIn(api, "doc-1", ["alice"]);
    await untilIn(api, "@lobby", ["alice"]);
    const [inRoom, inLobby] = [new Listener(send, "?room=doc-1"), new Listener(send, "?room=%40lobby")];
    await until("both are told who is where", () => inRoom.heard.length === 1 && inLobby.heard.length === 1);
    expect(placesOf(inRoom.heard[0]!)).toEqual({ "doc-1": ["alice"] });
    expect(placesOf(inLobby.heard[0]!)).toEqual({ "@lobby": ["alice"] });
    const bob = stockClient(dial(), "doc-1", { user: { id: "bob", name: "Bob" } });
    await until("they hear of Bob", () => [inRoom, inLobby].every(({ said }) => said[1]?.startsWith("join bob")));
    room.setMeta({ page: 2 });
    await until("his room hears of her page", () => inRoom.said.includes("update alice doc-1"));
    expect(inRoom.heard.at(-1)?.user).toMatchObject({ meta: { page: 2 } });
    bob.awareness.setLocalState(null);
    await until("they hear that he left", () =>
      [inRoom, inLobby].every(({ said }) => said.at(-1)?.startsWith("leave bob")),
    );
    expect(inLobby.said.filter((said) => !said.startsWith("update"))).toEqual([
      "reset",
      "join bob @lobby",
      "leave bob @lobby",
    ]);
  });

  it("[API-28] what was missed, once and in order", async () => {
    const { dial, send, api } = await start();
    const kept = new Listener(send, "?room=doc-1");
    const first = new Listener(send, "?room=doc-1");
    await until("both listen", () => first.heard.length === 1 && kept.heard.length === 1);
    const alice = ownClient(dial(), "alice").join("doc-1");
    await until("she came", () => first.said.includes("join alice doc-1"));
    first.stop();
    for (const line of [1, 2, 3]) {
      alice.setMeta({ line });
      await until("it is heard", () => kept.heard.at(-1)?.user?.meta?.["line"] === line);
    }
    alice.leave();
    await untilIn(api, "doc-1", []);
    await until("it is heard that she left", () => kept.said.at(-1) === "leave alice doc-1");
    const again = new Listener(send, "?room=doc-1", { lastId: first.lastId });
    await until("the one who was away hears it, too", () => again.said.at(-1) === "leave alice doc-1");
    expect(again.heard.map(({ id }) => id)).toEqual(kept.heard.slice(2).map(({ id }) => id));
  });
});

describe("listening", () => {
  it("[API-27] [API-29] [EVENT-4] first who is where, then each change, with the ids that relay.on has", async () => {
    const { url, port, relay } = await startCalledRelay();
    const alice = ownClient(url, "alice");
    alice.join("doc-1");
    await until("she is there", () => relay.user("alice")?.rooms.length === 1);
    const ids: string[] = [];
    relay.on("event", ({ id }) => ids.push(id));
    const listener = new Listener(port);
    await until("it is told who is where", () => listener.heard.length === 1);
    expect(placesOf(listener.heard[0]!)).toEqual({ "@lobby": ["alice"], "doc-1": ["alice"] });
    const bob = stockClient(url, "doc-1", { user: { id: "bob", name: "Bob" } });
    await until(
      "it hears of Bob, twice",
      () => listener.said.filter((said) => said.startsWith("join bob")).length === 2,
    );
    alice.setMeta({ page: 2 });
    await until("it hears of her page", () => listener.said.includes("update alice @lobby"));
    bob.awareness.setLocalState(null);
    await until("it hears that he left", () => listener.said.includes("leave bob @lobby"));
    expect(new Set(listener.said)).toContain("leave bob doc-1");
    expect(listener.heard.slice(1).map(({ id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    const update = listener.heard.find(({ type }) => type === "update")!;
    expect(update).toMatchObject({ user: { meta: { page: 2 } }, previous: { id: "alice" }, metadata: { page: 2 } });
  });

  it("[API-27] by room, by the beginning of its name, and by user", async () => {
    const { url, port } = await startCalledRelay();
    const listeners = ["?room=a-1", "?prefix=a-", "?user=bob", "?room=%40lobby"].map(
      (query) => new Listener(port, query),
    );
    await until("all listen", () => listeners.every(({ heard }) => heard.length === 1));
    const alice = ownClient(url, "alice");
    for (const room of ["a-1", "a-2", "b"]) alice.join(room);
    ownClient(url, "bob").join("b");
    const [room, prefix, user, lobby] = listeners.map(
      (listener) => () => listener.said.filter((said) => said.startsWith("join")),
    );
    await until("all have heard", () => lobby!().length === 2 && prefix!().length === 2 && user!().length === 2);
    expect(room!()).toEqual(["join alice a-1"]);
    expect(prefix!().toSorted()).toEqual(["join alice a-1", "join alice a-2"]);
    expect(user!().toSorted()).toEqual(["join bob @lobby", "join bob b"]);
    expect(lobby!().toSorted()).toEqual(["join alice @lobby", "join bob @lobby"]);
  });

  it("[API-10] [API-11] [API-27] a narrowed key hears of its lobby, or of its rooms, alone", async () => {
    const { url, port, relay } = await startCalledRelay({ jwtSecret: SECRET });
    const key = async (api: object): Promise<string> => tokenFor({ sub: "backend", api });
    const acme = new Listener(port, "", { key: await key({ access: "read", lobby: "acme" }) });
    const some = new Listener(port, "", { key: await key({ access: "read", rooms: ["acme/*"] }) });
    const wrong = await fetch(`http://127.0.0.1:${port}/api/v1/events?lobby=other`, {
      headers: { authorization: `Bearer ${await key({ access: "read", lobby: "acme" })}` },
    });
    expect(wrong.status).toBe(403);
    await until("both listen", () => acme.heard.length === 1 && some.heard.length === 1);
    const alice = ownClient(url, "alice", { token: await tokenFor({ sub: "alice", lobby: "acme" }), lobby: "acme" });
    alice.join("shared");
    alice.join("acme/plan");
    const bob = ownClient(url, "bob", { token: await tokenFor({ sub: "bob" }) });
    bob.join("shared");
    await until(
      "all are there",
      () => relay.room("shared")?.users.length === 2 && relay.user("alice", "acme")?.rooms.length === 2,
    );
    bob.destroy();
    alice.destroy();
    await until(
      "acme hears that she left",
      () => acme.said.includes("leave alice shared") && acme.said.includes("leave alice acme/plan"),
    );
    await until("the other hears it, too", () => some.said.includes("leave alice acme/plan"));
    await until("and her lobby", () => acme.said.includes("leave alice @lobby/acme"));
    expect(JSON.stringify(acme.heard)).not.toContain("bob");
    expect(new Set(some.heard.map(({ roomId }) => roomId))).toEqual(new Set([undefined, "acme/plan"]));
    expect(JSON.stringify(some.heard)).not.toContain("shared");
  });
});

describe("coming back", () => {
  it("[API-28] with the last id, one is told what was missed, once and in order", async () => {
    const { url, port, relay } = await startCalledRelay();
    const all = new Listener(port, "?room=doc-1");
    const first = new Listener(port, "?room=doc-1");
    await until("both listen", () => first.heard.length === 1 && all.heard.length === 1);
    const alice = ownClient(url, "alice").join("doc-1");
    await until("she came", () => first.said.includes("join alice doc-1"));
    first.stop();
    all.stop();
    for (const line of [1, 2, 3]) {
      alice.setMeta({ line });
      await until("the relay knows", () => relay.room("doc-1")?.users[0]?.meta["line"] === line);
    }
    alice.leave();
    await until("she is gone", () => (relay.room("doc-1")?.users.length ?? 0) === 0);
    const again = new Listener(port, "?room=doc-1", { lastId: first.lastId });
    await until("it has heard that she left", () => again.said.at(-1) === "leave alice doc-1");
    expect(again.said).toEqual([...Array.from({ length: 3 }, () => "update alice doc-1"), "leave alice doc-1"]);
    // one who heard nothing but how things were
    const early = new Listener(port, "?room=doc-1", { lastId: all.heard[0]!.id });
    await until("it is told all", () => early.said.length === 5);
    expect(early.said[0]).toBe("join alice doc-1");
  });

  it("[API-29] with an id that is not known, one is told how things are", async () => {
    const { url, port, relay } = await startCalledRelay();
    ownClient(url, "alice").join("doc-1");
    await until("she is there", () => relay.room("doc-1")?.users.length === 1);
    for (const lastId of ["r_other-7", "nonsense", ""]) {
      const listener = new Listener(port, "?room=doc-1", { lastId });
      await until("it is told", () => listener.heard.length === 1);
      expect(placesOf(listener.heard[0]!)).toEqual({ "doc-1": ["alice"] });
    }
  });

  it("[API-28] the log keeps the latest events, and knows what it does not know", () => {
    const log = new EventLog("r-0");
    const event = (i: number) => ({ id: `r-${i}`, place: "a", userId: "u", lobby: null, message: new Uint8Array(10) });
    expect(log.since("r-0")).toEqual([]);
    for (let i = 1; i <= 25_000; i++) log.push(event(i));
    expect(log.lastId).toBe("r-25000");
    expect(log.since("r-24998")).toHaveLength(2);
    expect(log.since("r-25000")).toEqual([]);
    expect(log.since("r-0")).toBeNull();
    expect(log.since("r-26000")).toBeNull();
    expect(log.since("r-15000")).toHaveLength(10_000);
    expect(log.since("r-4999")).toBeNull();
  });
});

describe("who does not read", () => {
  it("[API-30] is cut off when more than 1 MiB waits, besides what it began with", async () => {
    let ended = 0;
    const stream = new EventStream(
      () => true,
      () => ended++,
    );
    const message = new Uint8Array(100_000);
    stream.begin([new Uint8Array(5_000_000)]);
    const heard = { place: "a", userId: "u", lobby: null, message };
    for (let i = 0; i < 10; i++) stream.tell(heard);
    expect(ended).toBe(0);
    for (let i = 0; i < 5; i++) stream.tell(heard);
    expect(ended).toBe(1);
    await expect(stream.response.arrayBuffer()).rejects.toThrow("too slow");
  });

  it("[API-30] and one key has no more than 100 listeners", async () => {
    const { port } = await startCalledRelay();
    const listeners = Array.from({ length: 100 }, () => new Listener(port, "?room=a"));
    await until("all listen", () => listeners.every(({ heard }) => heard.length === 1));
    const one = await fetch(`http://127.0.0.1:${port}/api/v1/events`, { headers: { authorization: `Bearer ${KEY}` } });
    expect(one.status).toBe(429);
    listeners[0]!.stop();
    await until("there is room for another", async () => {
      const another = new Listener(port, "?room=a");
      await until("it is answered", () => another.status !== 0);
      return another.status === 200;
    });
  });

  it("[RUN-3] [API-27] a relay that closes ends all listening", async () => {
    const { port, relay } = await startCalledRelay();
    const listener = new Listener(port);
    await until("it listens", () => listener.heard.length === 1);
    await relay.close();
  });
});

it("[API-40] those who listen and read nothing are cut off when more waits for all listeners together than may", async () => {
  const { relay, api } = await startCalledRelay({ maxUnsentTotal: 1_000_000 });
  for (let i = 0; i < 20; i++) {
    const body = { user: { id: `user-${i}` }, ttlMs: 60_000, meta: { text: "x".repeat(8_000) } };
    expect((await api.put(`/rooms/doc/members/s-${i}`, body)).status).toBe(200);
  }
  await until("all are in the lobby", () => relay.users().length === 20);
  const listen = async () => {
    const headers = { authorization: `Bearer ${KEY}` };
    const { body } = await relay.api(new Request("http://localhost/api/v1/events", { headers }));
    return body!.getReader();
  };
  /** How many bytes were to be read; null: it was cut off. */
  const readUntilQuiet = async (reader: Awaited<ReturnType<typeof listen>>): Promise<number | null> => {
    let bytes = 0;
    try {
      while (bytes < 500_000) bytes += (await reader.read()).value!.length;
    } catch {
      return null;
    }
    return bytes;
  };
  const [idle, other] = [await listen(), await listen()];
  const heard = [await readUntilQuiet(idle), await readUntilQuiet(other)];
  expect(heard.filter((bytes) => bytes === null)).toHaveLength(1);
  // one who reads is in nobody's way
  for (let i = 0; i < 5; i++) {
    const reader = await listen();
    expect(await readUntilQuiet(reader)).toBeGreaterThanOrEqual(500_000);
    await reader.cancel();
  }
});

const listenTo = (relay: Relay): Promise<Response> =>
  relay.api(new Request("http://relay/api/v1/events", { headers: { authorization: `Bearer ${KEY}` } }));

it("[API-30] however many ask with one key at once, no more listen than may", async () => {
  const relay = createRelay({ apiKey: KEY });
  onTestFinished(() => relay.close());
  const answers = await Promise.all(Array.from({ length: 150 }, () => listenTo(relay)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(50);
  for (const { body } of answers) await body?.cancel();
  expect((await listenTo(relay)).status).toBe(200);
});

it("[RUN-3] who asks to listen while the relay closes is told so, and nothing is begun that nobody would end", async () => {
  const early = createRelay({ apiKey: KEY });
  const asked = listenTo(early);
  await early.close();
  expect((await asked).status).toBe(503);
  // one that has to find out from others first what is to be listened to
  const relay = createRelay({ apiKey: KEY, bus: new MemoryBus() });
  const first = await listenTo(relay);
  const second = listenTo(relay);
  await first.body?.cancel();
  await relay.close();
  expect((await second).status).toBe(503);
});

it("[API-30] who asks to listen many times on one connection, and is gone, takes nobody's place", async () => {
  const { port } = await startCalledRelay();
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const ask = `GET /api/v1/events HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer ${KEY}\r\n\r\n`;
  socket.write(ask.repeat(120));
  await new Promise((resolve) => socket.once("data", resolve));
  const listen = () => fetch(`http://127.0.0.1:${port}/api/v1/events`, { headers: { authorization: `Bearer ${KEY}` } });
  const statusOf = async (): Promise<number> => {
    const answer = await listen();
    await answer.body?.cancel();
    return answer.status;
  };
  await until("all places are taken", async () => (await statusOf()) === 429);
  socket.destroy();
  await until("they are free again", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, listen));
    for (const { body } of answers) await body?.cancel();
    return answers.every(({ status }) => status === 200);
  });
});
