/** Webhooks of a relay, as a receiver gets them. */
import { describe, expect, it, onTestFinished } from "vitest";
import { Webhook } from "standardwebhooks";
import type { RelayConfig } from "../../../src/relay/index.ts";
import { systemClock } from "../../../src/relay/ports/clock.ts";
import { visitOf } from "../../../src/relay/webhooks/message.ts";
import { MemoryOutbox } from "../../../src/relay/webhooks/outbox/memory.ts";
import { Webhooks } from "../../../src/relay/webhooks/webhooks.ts";
import { ownClient, pause, poll, startRelay, stockClient, until } from "../../support.ts";
import { rawPeer, stateOf } from "../raw.ts";
import { SIGNING_SECRET, type TestReceiver, startReceiver } from "./receiver.ts";

/** One that outlives the relay, though not this process. */
class DurableOutbox extends MemoryOutbox {
  override readonly isDurable = true;
}

async function relayWith(receivers: readonly TestReceiver[], options: RelayConfig = {}) {
  const webhook = receivers.map(({ url }) => url);
  return startRelay({ webhook, webhookSecret: SIGNING_SECRET, leaveGrace: 300, webhookReturn: 1_000, ...options });
}

const of = (receiver: TestReceiver, type: string) => receiver.taken.filter((message) => message.type === type);

describe("what receivers are told", () => {
  it("[HOOK-1] people come to a lobby and to a room, and leave them; a room opens and empties", async () => {
    const receiver = await startReceiver();
    const { url } = await relayWith([receiver]);
    const alice = ownClient(url, "alice", { meta: { page: "home" } });
    alice.join("doc");
    await until("she is online and in the room", () => receiver.taken.length === 3);
    const online = of(receiver, "user.online")[0];
    expect(online).toMatchObject({ data: { userId: "alice", roomId: "@lobby" } });
    expect(online?.data.user).toMatchObject({ id: "alice", name: "Alice", status: "online", meta: { page: "home" } });
    expect(new Date(online?.timestamp ?? "").toISOString()).toBe(online?.timestamp);
    expect(of(receiver, "room.entered")[0]).toMatchObject({ data: { userId: "alice", roomId: "doc" } });
    expect(of(receiver, "room.opened")[0]?.data).toEqual({ roomId: "doc" });
    alice.destroy();
    await until("she is gone", () => receiver.taken.length === 6);
    expect(of(receiver, "user.offline")[0]?.data.user).toMatchObject({ id: "alice", status: "offline", sessions: [] });
    expect(of(receiver, "room.left")[0]).toMatchObject({ data: { userId: "alice", roomId: "doc" } });
    expect(of(receiver, "room.emptied")[0]?.data).toEqual({ roomId: "doc" });
    expect(receiver.bad).toEqual([]);
  });

  it("[HOOK-18] who is cut off and comes back within the grace was never gone, and who does not is", async () => {
    const receiver = await startReceiver();
    const { url } = await relayWith([receiver], { leaveGrace: 600 });
    const state = stateOf("alice", "s1");
    const first = await rawPeer(url, "@lobby", { trusts: true });
    first.say([1, 1, state]);
    await until("she is online", () => receiver.taken.length === 1);
    first.socket.terminate();
    const second = await rawPeer(url, "@lobby", { trusts: true });
    second.say([2, 1, state]);
    await second.settle();
    await pause(900);
    expect(receiver.story).toEqual(["user.online alice"]);
    second.socket.terminate();
    await until("she is gone", () => receiver.taken.length === 2);
    expect(receiver.story).toEqual(["user.online alice", "user.offline alice"]);
  });

  it("[HOOK-17] changes of a user come only if they are asked for", async () => {
    const [all, most] = [await startReceiver(), await startReceiver()];
    const asked = await relayWith([all], { webhookEvents: ["user.online", "user.updated"] });
    const unasked = await relayWith([most]);
    for (const { url } of [asked, unasked]) {
      const alice = ownClient(url, "alice");
      await until("she is there", () => alice.lobby.status === "live");
      alice.setStatus("dnd");
    }
    await until("her choice is told", () => all.taken.length === 2);
    expect(all.story).toEqual(["user.online alice", "user.updated alice"]);
    expect(all.taken[1]?.data.user).toMatchObject({ status: "dnd" });
    await pause(200);
    expect(most.story).toEqual(["user.online alice"]);
  });

  it("[HOOK-15] somebody who takes very much comes without what takes most", async () => {
    const receiver = await startReceiver();
    const { url } = await relayWith([receiver], { maxMeta: 60_000, webhookEvents: ["user.online"] });
    const alice = await rawPeer(url, "@lobby", { trusts: true });
    alice.say([1, 1, stateOf("alice", "s1", { meta: { text: "a".repeat(40_000) } })]);
    await until("she is online", () => receiver.taken.length === 1);
    expect(receiver.taken[0]?.data.user).toMatchObject({ id: "alice", name: "alice", sessions: [], meta: {} });
  });

  it("[HOOK-13] a document is said to have changed, once, when nobody writes it any more", async () => {
    const receiver = await startReceiver();
    const { url } = await relayWith([receiver], { webhookEvents: ["document.changed"] });
    const alice = stockClient(url, "doc");
    await until("she is there", () => alice.synced);
    for (const letter of "hello") alice.doc.getText("t").insert(0, letter);
    await until("it is told", () => receiver.taken.length === 1);
    expect(receiver.taken[0]?.data).toMatchObject({ roomId: "doc" });
    expect(receiver.taken[0]?.data["size"]).toBeGreaterThan(5);
  });
});

describe("how they get it", () => {
  it("[HOOK-2] each webhook is signed with each secret, and a relay without a secret does not start", async () => {
    const newer = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    const [old, fresh] = [await startReceiver(SIGNING_SECRET), await startReceiver(newer)];
    const { url } = await relayWith([old, fresh], { webhookSecret: [newer, SIGNING_SECRET] });
    ownClient(url, "alice");
    await until("both could verify it", () => old.taken.length === 1 && fresh.taken.length === 1);
    expect([...old.bad, ...fresh.bad]).toEqual([]);
    await expect(relayWith([old], { webhookSecret: [] })).rejects.toThrow("webhook needs webhookSecret");
    await expect(relayWith([old], { webhookSecret: "whsec_short" })).rejects.toThrow(/^webhookSecret must be whsec_/);
    expect(() => new Webhook(newer)).not.toThrow();
  });

  it("[HOOK-3] [HOOK-4] [HOOK-5] what is not taken comes again with its id, and the same user's next waits for it", async () => {
    const receiver = await startReceiver();
    let refusals = 2;
    receiver.behave = ({ data }) => (data.userId === "alice" && refusals-- > 0 ? 500 : 200);
    const { url } = await relayWith([receiver], { webhookEvents: ["user.online", "user.offline"] });
    const alice = ownClient(url, "alice");
    await until("hers was refused", () => receiver.heard.length > 0);
    ownClient(url, "bob");
    alice.destroy();
    await until("all is told", () => receiver.taken.length === 3);
    expect(receiver.story).toEqual(["user.online bob", "user.online alice", "user.offline alice"]);
    const hers = receiver.heard.filter(({ data }) => data.userId === "alice");
    expect(hers.map(({ type }) => type)).toEqual(["user.online", "user.online", "user.online", "user.offline"]);
    expect(new Set(hers.map(({ id }) => id)).size).toBe(2);
  });

  it("[HOOK-5] one that does not answer in time is asked again", async () => {
    const receiver = await startReceiver();
    let isSlow = true;
    receiver.behave = async () => {
      if (isSlow) await pause(1_000);
      return 200;
    };
    const { url } = await relayWith([receiver], { webhookEvents: ["user.online"], webhookTimeout: 200 });
    ownClient(url, "alice");
    await until("it was asked", () => receiver.heard.length === 1);
    isSlow = false;
    await until("it was asked again", () => receiver.heard.length === 2);
    expect(receiver.heard[0]?.id).toBe(receiver.heard[1]?.id);
  });

  it("[HOOK-11] one that is down is reported once, costs the other nothing, and gets everything when it is back", async () => {
    const [dead, well] = [await startReceiver(), await startReceiver()];
    const errors: string[] = [];
    const onError = (error: unknown): void => void errors.push(String(error));
    const { url, relay } = await relayWith([dead, well], { webhookEvents: ["user.online", "user.offline"], onError });
    await dead.stop();
    const people = Array.from({ length: 30 }, (_, i) => ownClient(url, `user${i}`));
    await until("the other has heard of all", () => well.taken.length === 30);
    for (const person of people) person.destroy();
    await until("the other has heard of all", () => well.taken.length === 60);
    await until("it is reported", () => errors.length > 0);
    await dead.start();
    await expect.poll(() => dead.taken.length, { ...poll, timeout: 15_000 }).toBe(60);
    for (let i = 0; i < 30; i++) {
      const story = dead.story.filter((line) => line.endsWith(` user${i}`));
      expect(story).toEqual([`user.online user${i}`, `user.offline user${i}`]);
    }
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(`the receiver 127.0.0.1:${dead.port}: takes no webhooks`);
    expect(errors[0]).not.toContain("/hook");
    expect(relay.metrics().webhooks?.map(({ isDown }) => isDown)).toEqual([false, false]);
  });

  it("[HOOK-16] a redirect is not followed, and the secret of an address is in no error", async () => {
    const [elsewhere, receiver] = [await startReceiver(), await startReceiver()];
    const errors: string[] = [];
    receiver.behave = () => 307;
    const address = `http://bob:pa55word@127.0.0.1:${receiver.port}/hook?key=s3cret`;
    const { url } = await relayWith([receiver], {
      webhook: address,
      webhookEvents: ["user.online"],
      onError: (error) => errors.push(`${String(error)} ${String((error as Error).stack)}`),
    });
    for (let i = 0; i < 17; i++) ownClient(url, `user${i}`);
    await until("it is reported", () => errors.length > 0);
    expect(elsewhere.heard).toEqual([]);
    expect(errors.join()).not.toMatch(/pa55word|s3cret|whsec_/);
  });

  it(
    "[HOOK-10] of too many that wait the oldest are dropped, and what a receiver hears still alternates",
    { timeout: 40_000 },
    async () => {
      const receiver = await startReceiver();
      const errors: string[] = [];
      const { url, relay } = await relayWith([receiver], {
        webhookEvents: ["user.online", "user.offline"],
        maxWebhookBacklog: 20_000,
        onError: (error) => errors.push(String(error)),
      });
      const come = () => Array.from({ length: 20 }, (_, i) => ownClient(url, `user${i}`));
      const all = (count: number) => () => receiver.taken.length === count;
      const first = come();
      await until("all are told to be online", all(20));
      receiver.behave = () => 503;
      for (const person of first) person.destroy();
      for (let round = 0; round < 3; round++) {
        const people = come();
        await until("they are there", () => relay.users().length === 20);
        for (const person of people) person.destroy();
        await until("they are gone", () => relay.users().length === 0);
      }
      const last = come();
      await until("they are there", () => relay.users().length === 20);
      await until("some were dropped", () => (relay.metrics().webhooks?.[0]?.dropped ?? 0) > 0);
      receiver.behave = () => 200;
      await until("nothing waits", () => relay.metrics().webhooks?.[0]?.waiting === 0, 20_000);
      for (const person of last) person.destroy();
      await until("they are gone", () => relay.users().length === 0);
      await until("nothing waits", () => relay.metrics().webhooks?.[0]?.waiting === 0, 20_000);
      for (let i = 0; i < 20; i++) {
        const story = receiver.story.filter((line) => line.endsWith(` user${i}`)).map((line) => line.split(" ")[0]);
        story.forEach((type, n) => expect(type).toBe(n % 2 === 0 ? "user.online" : "user.offline"));
        expect(story.at(-1)).toBe("user.offline");
      }
      expect(errors.some((error) => error.includes("the oldest are dropped"))).toBe(true);
    },
  );
});

describe("when the relay ends", () => {
  it("[HOOK-9] without a store that outlives it, all are said to be offline before it stops", async () => {
    const receiver = await startReceiver();
    const { url, relay } = await relayWith([receiver]);
    const alice = ownClient(url, "alice");
    alice.join("doc");
    await until("she is told", () => receiver.taken.length === 3);
    await relay.close();
    expect(receiver.story.slice(3).toSorted()).toEqual(["room.emptied doc", "room.left alice", "user.offline alice"]);
  });

  it("[HOOK-6] [HOOK-7] [HOOK-8] after the next start, those who do not come back are offline, and the others never were", async () => {
    const receiver = await startReceiver();
    const outbox = new DurableOutbox();
    const first = await relayWith([receiver], { outbox });
    const alice = ownClient(first.url, "alice");
    const bob = ownClient(first.url, "bob");
    alice.join("doc");
    await until("they are told", () => receiver.taken.length === 4);
    const stoppedAt = Date.now();
    await first.relay.close();
    bob.destroy();
    await pause(100);
    expect(receiver.taken).toHaveLength(4);
    const port = first.port;
    const webhook = receiver.url;
    const options = { webhook, webhookSecret: SIGNING_SECRET, leaveGrace: 300, webhookReturn: 2_000, outbox };
    const second = await startRelay(options, port);
    await until("Alice is back", () => second.relay.users().length === 1);
    await until("Bob is told to be offline", () => receiver.taken.length === 5);
    expect(receiver.story[4]).toBe("user.offline bob");
    expect(receiver.taken[4]?.data.user).toMatchObject({ name: "Bob", status: "offline" });
    const { lastSeen } = receiver.taken[4]!.data.user as { readonly lastSeen: number };
    expect(Math.abs(lastSeen - stoppedAt)).toBeLessThan(1_000);
    alice.destroy();
    await until("Alice has left", () => receiver.taken.length === 8);
    expect(receiver.story.filter((line) => line.includes("alice"))).toEqual(
      expect.arrayContaining(["user.online alice", "room.entered alice", "room.left alice", "user.offline alice"]),
    );
    expect(receiver.story.filter((line) => line.startsWith("user.online"))).toHaveLength(2);
  });

  it("[HOOK-12] a receiver that is new is told who is remembered to be there; of one that is not named any more nothing waits", async () => {
    const [before, after] = [await startReceiver(), await startReceiver()];
    const outbox = new DurableOutbox();
    const first = await relayWith([before], { outbox });
    ownClient(first.url, "alice").join("doc");
    await until("she is told", () => before.taken.length === 3);
    await before.stop();
    ownClient(first.url, "bob");
    await until("Bob is there", () => first.relay.users().length === 2);
    await first.relay.close();
    expect(await outbox.receivers()).toHaveLength(1);
    await before.start();
    await startRelay({ webhook: after.url, webhookSecret: SIGNING_SECRET, outbox, webhookReturn: 60_000 }, first.port);
    await until("the new one is told", () => after.taken.length === 4);
    expect(after.story.toSorted()).toEqual([
      "room.entered alice",
      "room.opened doc",
      "user.online alice",
      "user.online bob",
    ]);
    expect(before.taken).toHaveLength(3);
    await until("nothing waits", async () => (await outbox.receivers()).length === 0);
  });

  it("[HOOK-7] a whole lobby that was there when the process ended and does not come back is told to be offline", async () => {
    const PEOPLE = 70_000;
    const outbox = new DurableOutbox();
    const snapshot = JSON.stringify({ id: "u", meta: {} });
    await outbox.write(
      Array.from({ length: PEOPLE }, (_, i) => {
        return { type: "note", name: `visit/${visitOf("@lobby", `u${i}`)}`, text: snapshot };
      }),
    );
    const settings = {
      // nobody listens there: what is told waits
      urls: ["http://127.0.0.1:1/hook"],
      secrets: [SIGNING_SECRET],
      types: ["user.offline"],
      timeoutMs: 1_000,
      maxWaiting: 2 ** 30,
      returnMs: 0,
    } as const;
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const webhooks = new Webhooks(settings, { outbox, clock: systemClock, graceMs: 0, sizeOf: () => 0, onError });
    onTestFinished(() => webhooks.close());
    await webhooks.ready;
    await until("all are told", () => webhooks.counts[0]?.waiting === PEOPLE);
    const visits = [...(await outbox.notes()).keys()].filter((name) => name.startsWith("visit/"));
    expect(visits).toEqual([]);
    expect(errors).toEqual([]);
  });

  it("[HOOK-14] a document that changed just before the end is told after the next start", async () => {
    const receiver = await startReceiver();
    const outbox = new DurableOutbox();
    // as if the process had been killed within the two seconds
    await outbox.write([{ type: "note", name: 'edit/"doc"', text: "" }]);
    await relayWith([receiver], { outbox });
    await until("it is told", () => receiver.taken.length === 1);
    expect(receiver.taken[0]).toMatchObject({ type: "document.changed", data: { roomId: "doc", size: null } });
    expect((await outbox.notes()).has('edit/"doc"')).toBe(false);
  });
});
