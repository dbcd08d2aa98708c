/** Real processes: a thousand tabs through a restart, and two instances over Redis of which one is killed. */
import { describe, expect, it } from "vitest";
import { type RunningProcess, run } from "../faults/processes.ts";
import { startRedis } from "../relay/redis.ts";
import { tcpProxy } from "../proxy.ts";
import { pause, until } from "../support.ts";
import { ownClient, plainProvider, tabSocket } from "./server.ts";

const GRACE_MS = 3_000;
/** By when nobody may be shown who did not come back. */
const GONE_MS = 8_000;

async function runInstance(
  port = 0,
  bus?: string,
): Promise<RunningProcess & { readonly url: string; readonly port: number }> {
  const instance = run("test/hocuspocus/instance.js", [String(port), ...(bus === undefined ? [] : [bus])]);
  await until("the instance listens", () => instance.lines.length > 0 || instance.exit() !== undefined, 60_000);
  return { ...instance, port: Number(instance.lines[0]), url: `ws://127.0.0.1:${instance.lines[0]}` };
}

describe("two instances over Redis, of which one is killed", () => {
  it(
    "[HOC-14] nobody leaves within the grace, who comes back was never gone, and 8 s later there is no ghost",
    { timeout: 90_000, retry: 1 },
    async () => {
      const redis = await startRedis();
      const [first, second] = [await runInstance(0, redis.url), await runInstance(0, redis.url)];
      const alice = ownClient(first.url, "alice");
      const witness = plainProvider(tabSocket(first.url), "doc", "witness");
      // Bob's tab comes back through the load balancer; Carol's, of a plain provider, and Dave's are lost with the instance
      const balancer = await tcpProxy(second.port);
      const bob = ownClient(balancer.url, "bob");
      const lost = tabSocket(second.url);
      const dave = ownClient(second.url, "dave", {}, lost);
      const carol = plainProvider(lost, "doc", "carol");
      const room = alice.join("doc");
      bob.join("doc");
      dave.join("doc");
      const names = (): string =>
        room.roster.users
          .map(({ id }) => id)
          .toSorted()
          .join();
      await until("all see each other", () => names() === "alice,bob,carol,dave,witness", 20_000);
      await until("the plain provider sees Carol, too", () => witness.awareness.states.has(carol.awareness.clientID));
      const events: { readonly type: string; readonly userId: string; readonly at: number }[] = [];
      room.roster.on("event", ({ type, userId }) => {
        if (type !== "update") events.push({ type, userId, at: performance.now() });
      });

      lost.shouldConnect = false;
      second.process.kill("SIGKILL");
      balancer.leadTo(first.port);
      const killedAt = performance.now();
      await until("only those who come back are here", () => names() === "alice,bob,witness", GONE_MS);
      const leftMs = GONE_MS + killedAt - performance.now();
      await until(
        "the plain provider has no ghost",
        () => !witness.awareness.states.has(carol.awareness.clientID),
        leftMs,
      );
      // past the time in which somebody might still be said to leave
      await pause(2_000);
      expect(events.map(({ type, userId }) => `${type} ${userId}`).toSorted()).toEqual(["leave carol", "leave dave"]);
      for (const { at } of events) expect(at - killedAt).toBeGreaterThan(GRACE_MS - 100);
    },
  );
});

describe("a server that is killed and restarted under a thousand tabs", () => {
  it("[HOC-8] has all of them back, and nobody saw anybody leave or join", { timeout: 180_000, retry: 1 }, async () => {
    const COUNT = 1_000;
    const OBSERVERS = 3;
    interface Line {
      readonly event: string;
      readonly live: number;
      readonly seen: number;
      readonly reconnecting: number;
      readonly lobbies: readonly number[];
    }
    const first = await runInstance();
    const crowd = run("test/hocuspocus/crowd.js", [first.url, String(COUNT), "10", String(OBSERVERS)]);
    const read = (from: number): Line[] => crowd.lines.slice(from).map((line) => JSON.parse(line) as Line);
    const isWhole = async (): Promise<boolean> => {
      const from = crowd.lines.length;
      crowd.process.stdin?.write("report\n");
      const reportOf = (): Line | undefined => read(from).find(({ event }) => event === "report");
      await until("a report", () => reportOf() !== undefined, 20_000);
      const { live = 0, seen = 0, reconnecting = 0, lobbies = [] } = reportOf() ?? {};
      return live === COUNT && seen === 10 && reconnecting === 0 && lobbies.every((users) => users === COUNT);
    };
    await until("everyone is here", isWhole, 60_000);
    const from = crowd.lines.length;
    first.process.kill("SIGKILL");
    await until("it is dead", () => first.exit() !== undefined);
    await runInstance(first.port);
    await until("everyone is here again", isWhole, 60_000);
    // past the time that anybody is waited for
    await pause(GRACE_MS + 4_000);
    const told = read(from).filter(({ event }) => event === "leave" || event === "join");
    expect(told).toEqual([]);
    expect(await isWhole()).toBe(true);
  });
});
