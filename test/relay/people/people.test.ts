/** People who outlive the relay that knew them. */
import { describe, expect, it, vi } from "vitest";
import { type Relay, createRelay } from "../../../src/relay/index.ts";
import { MemoryDocumentStore } from "../../../src/relay/store/memory.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";

/** A relay that goes down without a word to its store, as if its process had been killed. */
async function startOn(store: MemoryDocumentStore) {
  const running = await startRelay({ store, leaveGrace: 100 });
  const crash = async (): Promise<void> => {
    const save = vi.spyOn(store.people, "save").mockImplementation(() => Promise.resolve());
    await running.relay.close();
    save.mockRestore();
  };
  return { ...running, crash };
}

async function saved(store: MemoryDocumentStore, userId: string) {
  for await (const people of store.people.load(0, new AbortController().signal)) {
    const newest = people.filter(({ user }) => user.id === userId).toSorted((a, b) => b.lastSeen - a.lastSeen)[0];
    return newest ?? null;
  }
  return null;
}

const leaver = (relay: Relay, id: string, lobby?: string) => {
  const user = relay.user(id, lobby);
  return user && { status: user.status, name: user.name, lastSeen: user.lastSeen };
};

describe("after a restart", () => {
  it("[PEOPLE-1] [LOBBY-7] who left is known as before it, in each lobby", async () => {
    const store = new MemoryDocumentStore();
    const first = await startOn(store);
    const alice = ownClient(first.url, "alice");
    const bob = ownClient(first.url, "bob", { lobby: "acme" });
    await until("both are here", () => first.relay.users().length === 1 && first.relay.users("acme").length === 1);
    alice.destroy();
    bob.destroy();
    await until("both have left", () => leaver(first.relay, "alice")?.status === "offline");
    await until("both have left", () => leaver(first.relay, "bob", "acme")?.status === "offline");
    const before = [leaver(first.relay, "alice"), leaver(first.relay, "bob", "acme")];
    await first.relay.close();
    const second = await startOn(store);
    expect([leaver(second.relay, "alice"), leaver(second.relay, "bob", "acme")]).toEqual(before);
    expect(leaver(second.relay, "bob")).toBeUndefined();
    const carol = ownClient(second.url, "carol");
    await until("she is told of Alice", () => carol.lobby.recent.some(({ id }) => id === "alice"));
    expect(carol.lobby.recent.map(({ id, lastSeen }) => [id, lastSeen])).toEqual([["alice", before[0]?.lastSeen]]);
  });

  it("[PEOPLE-9] what a store gives that is no record is left out and reported, and all others are known", async () => {
    const errors: string[] = [];
    const store = new MemoryDocumentStore();
    const person = { lobby: "@lobby", user: { id: "alice" }, choice: null, lastSeen: Date.now() };
    const odd = [null, 5, {}, { ...person, user: null }, { ...person, lobby: "acme" }, { ...person, lastSeen: NaN }];
    vi.spyOn(store.people, "load").mockImplementation(async function* () {
      yield 5 as never;
      yield [...odd, person] as never;
      await Promise.resolve();
    });
    const { relay } = await startRelay({ store, onError: (error) => errors.push((error as Error).message) });
    await until("Alice is known", () => leaver(relay, "alice")?.status === "offline");
    await until("it is reported", () => errors.length > 0);
    expect(errors).toEqual(["7 of what the store gave are no records of people, and are left out"]);
    expect(relay.trouble).toBeNull();
  });

  it("[PEOPLE-2] [PEOPLE-8] after a crash those who do not come back have left when they were last known to be here", async () => {
    const store = new MemoryDocumentStore();
    const first = await startOn(store);
    const alice = ownClient(first.url, "alice");
    const bob = ownClient(first.url, "bob");
    await until(
      "both are stored",
      async () => (await saved(store, "alice")) !== null && (await saved(store, "bob")) !== null,
    );
    const { lastSeen } = (await saved(store, "alice"))!;
    const port = first.port;
    alice.destroy();
    const seen: string[] = [];
    bob.lobby.on("event", ({ type, userId }) => seen.push(`${type} ${userId}`));
    await first.crash();
    const second = await startRelay({ store, leaveGrace: 100 }, port);
    const said: string[] = [];
    second.relay.on("event", ({ type, userId }) => said.push(`${type} ${userId}`));
    await until("Bob is back", () => second.relay.users().length === 1);
    expect(leaver(second.relay, "alice")).toEqual({ status: "offline", name: "Alice", lastSeen: expect.any(Number) });
    expect(leaver(second.relay, "alice")!.lastSeen).toBeGreaterThanOrEqual(lastSeen);
    expect(leaver(second.relay, "alice")!.lastSeen).toBeLessThanOrEqual(Date.now());
    // she may come back as he did, for as long as clients wait between attempts
    await until("Bob is told of her", () => bob.lobby.recent.some(({ id }) => id === "alice"), 10_000);
    expect(said).toEqual(["join bob"]);
    expect(seen.filter((each) => each.endsWith("bob") || each === "join alice")).toEqual([]);
  });

  it("[PEOPLE-2] those who stay are saved as alive every 10 s", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    const store = new MemoryDocumentStore();
    const save = vi.spyOn(store.people, "save");
    const relay = createRelay({ store });
    const { url } = await relay.listen(0, "127.0.0.1");
    const alice = ownClient(url, "alice");
    await until("she is here", async () => {
      await vi.advanceTimersByTimeAsync(50);
      return save.mock.calls.some(([{ changed }]) => changed.length === 1);
    });
    const count = save.mock.calls.length;
    await vi.advanceTimersByTimeAsync(10_200);
    expect(save.mock.calls.length).toBe(count + 1);
    expect(save.mock.lastCall?.[0]).toMatchObject({ changed: [], forgotten: [] });
    alice.destroy();
    vi.useRealTimers();
    await relay.close();
  });
});

describe("a choice of status", () => {
  it("[PEOPLE-5] that was made on one device holds on another that comes later, before and after a restart", async () => {
    const store = new MemoryDocumentStore();
    const first = await startOn(store);
    const observer = ownClient(first.url, "bob");
    const phone = ownClient(first.url, "alice");
    phone.setStatus("dnd");
    await until("Bob sees it", () => observer.lobby.get("alice")?.status === "dnd");
    phone.destroy();
    await until("she has left", () => first.relay.user("alice")?.status === "offline");
    const laptop = ownClient(first.url, "alice");
    const seen: string[] = [];
    observer.lobby.on("event", ({ type, userId, status }) => {
      if (userId === "alice" && type !== "leave") seen.push(status);
    });
    await until("the laptop knows", () => laptop.status.manual === "dnd");
    await until("Bob sees her", () => observer.lobby.get("alice")?.status === "dnd");
    expect(new Set(seen)).toEqual(new Set(["dnd"]));
    laptop.destroy();
    await until("she has left again", () => first.relay.user("alice")?.status === "offline");
    await first.relay.close();
    const second = await startOn(store);
    const tablet = ownClient(second.url, "alice");
    await until("the tablet knows", () => tablet.status.manual === "dnd");
    tablet.setStatus(null);
    await until("it is cleared", () => second.relay.user("alice")?.status === "online");
    tablet.destroy();
    await until("she has left", () => second.relay.user("alice")?.status === "offline");
    const last = ownClient(second.url, "alice");
    await until("she is here", () => second.relay.user("alice")?.status === "online");
    expect(last.status.manual).toBeNull();
  });

  it("[PEOPLE-5] one who was invisible is so on another device from the first word, after a restart too", async () => {
    const store = new MemoryDocumentStore();
    const first = await startOn(store);
    const phone = ownClient(first.url, "alice");
    await until("she is here", () => first.relay.users().length === 1);
    phone.setStatus("invisible");
    await until("she is hidden", () => first.relay.users().length === 0);
    await until("it is stored", async () => (await saved(store, "alice"))?.choice?.status === "invisible");
    await first.crash();
    phone.destroy();
    const second = await startOn(store);
    const joined = vi.fn<() => void>();
    second.relay.on("join", ({ userId }) => userId === "alice" && joined());
    const observer = stockClient(second.url, "doc");
    const laptop = ownClient(second.url, "alice");
    laptop.join("doc");
    await until("the laptop knows", () => laptop.status.manual === "invisible");
    laptop.setStatus("dnd");
    await until("she is seen again", () => second.relay.users().some(({ id }) => id === "alice"));
    expect(second.relay.user("alice")?.status).toBe("dnd");
    await until("in the room, too", () => observer.awareness.getStates().size === 2);
    expect(joined).toHaveBeenCalled();
  });

  it("[PEOPLE-6] that is dated ahead of the relay's clock does not outrank what is chosen now", async () => {
    const store = new MemoryDocumentStore();
    const choice = { status: "busy", at: Date.now() + 3_600_000 } as const;
    const alice = { lobby: "@lobby", user: { id: "alice", name: "Alice" }, choice, lastSeen: Date.now() };
    await store.people.save({ relay: "r_before", at: Date.now(), changed: [alice], forgotten: [] });
    const relay = await startOn(store);
    const laptop = ownClient(relay.url, "alice");
    await until("she knows", () => laptop.status.manual === "busy");
    laptop.setStatus(null);
    await until("it is cleared", () => relay.relay.user("alice")?.status === "online");
  });
});

describe("a store of people that fails", () => {
  it("[PEOPLE-4] is told what it did not take, when it is back", async () => {
    const store = new MemoryDocumentStore();
    const errors: string[] = [];
    const save = vi.spyOn(store.people, "save").mockRejectedValue(new Error("the disk is full"));
    const relay = await startRelay({ store, onError: (error) => errors.push(String(error)) });
    const alice = ownClient(relay.url, "alice");
    await until("it was tried twice", () => save.mock.calls.length >= 2);
    expect(relay.relay.users()).toHaveLength(1);
    save.mockRestore();
    await until("it is stored", async () => (await saved(store, "alice")) !== null);
    expect(errors).toEqual(["Error: what is known of people cannot be stored"]);
    alice.destroy();
  });

  it("[PEOPLE-7] does not keep the relay from listening, and is read when it is back", async () => {
    const store = new MemoryDocumentStore();
    const alice = {
      lobby: "@lobby",
      user: { id: "alice", name: "Alice" },
      choice: null,
      lastSeen: Date.now() - 60_000,
    };
    await store.people.save({ relay: "r_before", at: Date.now(), changed: [alice], forgotten: [] });
    const load = vi.spyOn(store.people, "load").mockImplementation(() => {
      throw new Error("away");
    });
    const errors: string[] = [];
    const relay = await startRelay({ store, onError: (error) => errors.push(String(error)) });
    const bob = ownClient(relay.url, "bob");
    await until("he is here", () => relay.relay.users().length === 1);
    expect(relay.relay.user("alice")).toBeUndefined();
    load.mockRestore();
    await until("she is known", () => relay.relay.user("alice")?.lastSeen === alice.lastSeen, 15_000);
    await until("he is told", () => bob.lobby.recent.some(({ id }) => id === "alice"));
    expect(errors).toEqual(["Error: what is known of people cannot be loaded"]);
  });
});

it("[PEOPLE-1] a lobby remembers no more of them than it would have, and the store neither", async () => {
  const store = new MemoryDocumentStore();
  const now = Date.now();
  const changed = Array.from({ length: 10 }, (_, i) => {
    return { lobby: "@lobby", user: { id: `u_${i}` }, choice: null, lastSeen: now - i * 1_000 };
  });
  const long = { lobby: "@lobby", user: { id: "long ago" }, choice: null, lastSeen: now - 25 * 3_600_000 };
  await store.people.save({ relay: "r_before", at: now, changed: [...changed, long], forgotten: [] });
  const { relay } = await startRelay({ store, recentMax: 5 });
  const known = changed.filter(({ user }) => relay.user(user.id) !== undefined).map(({ user }) => user.id);
  expect(known).toEqual(["u_0", "u_1", "u_2", "u_3", "u_4"]);
  await until("the store has dropped who left long ago", async () => (await saved(store, "long ago")) === null);
});

it("[PEOPLE-10] a relay that stops while its store deletes old records reports nothing", async () => {
  const store = new MemoryDocumentStore();
  let fail = (): void => undefined;
  const forgetting = new Promise<void>((_, reject) => (fail = () => reject(new Error("the store is closed"))));
  const asked = vi.spyOn(store.people, "forget").mockImplementation(() => forgetting);
  const errors: string[] = [];
  const { relay } = await startRelay({ store, onError: (error) => errors.push(String(error)) });
  await until("the store is asked to delete", () => asked.mock.calls.length > 0);
  await relay.close();
  fail();
  await expect(forgetting).rejects.toThrow("the store is closed");
  await new Promise(setImmediate); // the relay has heard of the failure, too
  expect(errors).toEqual([]);
});
