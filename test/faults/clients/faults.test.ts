import { describe, expect, it } from "vitest";
import type { Room } from "../../../src/client/index.ts";
import { tcpProxy } from "../../proxy.ts";
import { ownClient, pause, rawClient, startRelay, stockClient, until } from "../../support.ts";
import { type RunningProcess, run, runRelay } from "../processes.ts";
import { dieInSilence } from "./silent.ts";
import { type Watch, watch } from "../watch.ts";

const FAST = ["--ping-interval", "1000", "--ping-timeout", "1000", "--leave-grace", "500"];

/** Bob is a process, and Alice sees him in the room and in the lobby. */
async function startBob(url: string, { alice, room }: Watch): Promise<RunningProcess> {
  const bob = run("test/faults/clients/page.js", [url, "bob", "plans"]);
  const isHere = (): boolean => room.roster.get("bob") !== undefined && alice.lobby.get("bob")?.rooms.length === 1;
  await until("bob is here", isHere, 10_000);
  return bob;
}

const countOf = ({ room }: Watch): number => (room.roster.get("bob")?.meta["n"] as number | undefined) ?? -1;

describe("a client's process", () => {
  it("[LIVE-2] [USER-7] leaves after the grace when it is killed, and was last seen when it last was", async () => {
    const { url } = await runRelay();
    const view = watch(url);
    const bob = await startBob(url, view);
    const killedAt = Date.now();
    bob.process.kill("SIGKILL");
    await until("shown as reconnecting", () => view.room.roster.get("bob")?.reconnecting === true, 2_000);
    await until("gone from both", () => view.leaves.length === 2, 6_000);
    for (const { userId, user, timestamp } of view.leaves) {
      expect(userId).toBe("bob");
      expect(timestamp - killedAt).toBeGreaterThanOrEqual(2_900);
      expect(timestamp - killedAt).toBeLessThan(4_000);
      expect(Math.abs(user.lastSeen - killedAt)).toBeLessThan(500);
    }
  });

  it("[LIVE-4] leaves in time when it is stopped, and returns as it is now when it goes on", async () => {
    const { url } = await runRelay(FAST);
    const view = watch(url);
    const bob = await startBob(url, view);
    const before = countOf(view);
    const stoppedAt = Date.now();
    bob.process.kill("SIGSTOP");
    await until("gone from both", () => view.leaves.length === 2, 4_000);
    for (const { user, timestamp } of view.leaves) {
      expect(timestamp - stoppedAt).toBeLessThan(2_600 + 200);
      expect(Math.abs(user.lastSeen - stoppedAt)).toBeLessThan(500);
    }
    bob.process.kill("SIGCONT");
    await until("bob is back, with what he is up to now", () => countOf(view) > before + 1, 5_000);
    expect(view.leaves).toHaveLength(2);
  });

  it("[LIVE-2] is not missed when it is stopped for less than the grace", async () => {
    const { url } = await runRelay();
    const view = watch(url);
    const bob = await startBob(url, view);
    bob.process.kill("SIGSTOP");
    await pause(1_500);
    bob.process.kill("SIGCONT");
    const before = countOf(view);
    await until("bob counts on", () => countOf(view) > before, 3_000);
    expect(view.leaves).toEqual([]);
  });
});

describe("a link", () => {
  it("[LIVE-4] [USER-7] that dies in silence is gone everywhere within 2,600 ms of its last sign of life", async ({
    annotate,
  }) => {
    await annotate(await dieInSilence(FAST, 2_600));
  });

  it("[LIVE-2] [OWN-3] that is reset again and again is nobody's leave", async () => {
    const { url, port } = await startRelay();
    const view = watch(url);
    const proxy = await tcpProxy(port);
    const bob = ownClient(proxy.url, "bob");
    const room = bob.join("plans");
    await until("alice sees bob", () => view.room.roster.get("bob") !== undefined);
    for (let i = 0; i < 5; i++) {
      room.setMeta({ i });
      proxy.cut(true);
      await until(`back after reset ${i}`, () => view.room.roster.get("bob")?.meta["i"] === i);
      expect(view.room.awareness.states.size).toBe(2);
    }
    expect(view.leaves).toEqual([]);
  });
});

describe("a client that drops and returns", () => {
  const kinds = ["own", "stock"] as const;
  const cases = kinds.flatMap((dropping) => kinds.map((staying) => [dropping, staying] as const));

  it.each(cases)("[LIVE-10] as %s among %s, sees and is seen at once", async (dropping, staying) => {
    const { url, port } = await startRelay();
    const proxy = await tcpProxy(port);
    const join = (kind: (typeof kinds)[number], address: string, id: string): { awareness: Room["awareness"] } =>
      kind === "own" ? ownClient(address, id).join("plans") : stockClient(address, "plans", { user: { id, name: id } });
    const bob = join(dropping, proxy.url, "bob");
    const alice = join(staying, url, "alice");
    const sees = (a: Room["awareness"], b: Room["awareness"]): boolean => a.states.has(b.clientID);
    const both = (): boolean => sees(alice.awareness, bob.awareness) && sees(bob.awareness, alice.awareness);
    await until("both see each other", both);
    await pause(100); // neither has anything left to say: a client that returns unchanged is the hard case
    proxy.cut();
    await until("bob's connection is down", () => proxy.links === 0);
    proxy.restore();
    await until("bob is connected", () => proxy.links > 0, 5_000);
    // a peer that was not renewed would stay invisible for up to 17 s
    await until("both see each other again", both, 1_500);
  });
});

describe("a stopping relay", () => {
  it("[RUN-1] tells its clients to come back", async () => {
    const relay = await runRelay();
    const socket = await rawClient(relay.url, "plans");
    const closed = new Promise<number>((resolve) => {
      socket.once("close", resolve);
    });
    relay.process.kill("SIGTERM");
    expect(await closed).toBe(1012);
    await until("it stops", () => relay.exit() === 0);
  });
});
