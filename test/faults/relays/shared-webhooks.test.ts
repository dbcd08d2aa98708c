/** Webhooks of several relays on a real Redis, as one receiver gets them: relays are killed, and Redis is. */
import { createClient } from "@redis/client";
import { expect, it, onTestFinished } from "vitest";
import type { Presence } from "../../../src/client/index.ts";
import { createRelay } from "../../../src/relay/index.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { type RedisServer, startRedis } from "../../relay/redis.ts";
import { SIGNING_SECRET, type TestReceiver, startReceiver } from "../../relay/webhooks/receiver.ts";
import { ownClient, pause, until } from "../../support.ts";
import { runRelay } from "../processes.ts";

/** How long a take-over may take on a busy machine, ms. */
const PATIENCE_MS = 60_000;

async function world() {
  const redis = await startRedis();
  const receiver = await startReceiver();
  let calls = 0;
  // it refuses each third, so that what comes again is tried, too
  receiver.behave = () => (++calls % 3 === 0 ? 503 : 204);
  process.env["COPRESENCE_WEBHOOK_SECRET"] = SIGNING_SECRET;
  onTestFinished(() => void delete process.env["COPRESENCE_WEBHOOK_SECRET"]);
  const start = () =>
    runRelay([
      `--bus=${redis.url}`,
      `--webhook=${receiver.url}`,
      "--webhook-events=user.online,user.offline",
      "--webhook-return=3000",
      "--drain-time=1000",
      "--log-level=error",
    ]);
  return { redis, receiver, start };
}

/** The id of the relay that sends webhooks; empty: none does. */
async function senderOf({ url }: RedisServer): Promise<string> {
  const client = createClient({ url });
  await client.connect();
  const term = await client.get("cp1:{w}:term");
  client.destroy();
  return term?.split("/", 1)[0] ?? "";
}

/** What a receiver was told of somebody, in order. */
const storyOf = ({ taken }: TestReceiver, userId: string): string[] =>
  taken.filter(({ data }) => data.userId === userId).map(({ type }) => type);

const [ONLINE, OFFLINE] = ["user.online", "user.offline"];

it(
  "[HOOK-20] [HOOK-21] [HOOK-22] online and offline alternate, in one pair each, though the relay that sends is killed",
  { timeout: 240_000 },
  async () => {
    const { redis, receiver, start } = await world();
    const told = (userId: string, story: readonly string[]) =>
      until(
        `${userId}: ${story.join(", ")}`,
        () => storyOf(receiver, userId).join(" ") === story.join(" "),
        PATIENCE_MS,
      );
    const first = await start();
    await until("the first relay sends", async () => (await senderOf(redis)) !== "", PATIENCE_MS);
    const sender = await senderOf(redis);
    const [second, third] = [await start(), await start()];
    const names = Array.from({ length: 12 }, (_, i) => i);
    const staying: Presence[] = names.map((i) => ownClient((i % 2 === 0 ? second : third).url, `stayer ${i}`));
    for (const i of names) ownClient(first.url, `mover ${i}`);
    for (const i of names) ownClient(first.url, `leaver ${i}`);
    // one with a tab on each of two relays
    for (const { url } of [first, second]) ownClient(url, "both");
    for (const name of ["stayer", "mover", "leaver"]) for (const i of names) await told(`${name} ${i}`, [ONLINE]);
    await told("both", [ONLINE]);

    first.process.kill("SIGKILL");
    const moved = names.map((i) => ownClient(second.url, `mover ${i}`));
    await until("another relay sends", async () => !["", sender].includes(await senderOf(redis)), PATIENCE_MS);
    for (const i of names) await told(`leaver ${i}`, [ONLINE, OFFLINE]);
    for (const i of names) await told(`mover ${i}`, [ONLINE]);
    moved[0]?.destroy();
    staying[0]?.destroy();
    await told("mover 0", [ONLINE, OFFLINE]);
    await told("stayer 0", [ONLINE, OFFLINE]);
    ownClient(third.url, "leaver 0");
    await told("leaver 0", [ONLINE, OFFLINE, ONLINE]);
    await told("both", [ONLINE]);

    // the relays that are left stop in order: the last one tells nobody that all have left before it starts anew
    second.process.kill("SIGTERM");
    await until("the second has stopped", () => second.exit() !== undefined, PATIENCE_MS);
    await told("both", [ONLINE, OFFLINE]);
    await told("mover 1", [ONLINE, OFFLINE]);
    await told("leaver 0", [ONLINE, OFFLINE, ONLINE]);
    expect(storyOf(receiver, "stayer 1")).toEqual([ONLINE]);
    expect(receiver.bad).toEqual([]);
  },
);

it(
  "[HOOK-23] Redis that is restarted empty tells nobody twice that somebody is online, and offline is told all the same",
  { timeout: 180_000 },
  async () => {
    const { redis, receiver, start } = await world();
    const relays = [await start(), await start()];
    const [alice, bob] = relays.map(({ url }, i) => ownClient(url, `user ${i}`));
    await until("both are online", () => receiver.taken.length === 2, PATIENCE_MS);
    const sender = await senderOf(redis);
    redis.kill("SIGKILL");
    await pause(2_000);
    await redis.restart();
    await until("the same relay sends", async () => (await senderOf(redis)) === sender, PATIENCE_MS);
    await pause(6_000);
    alice?.destroy();
    bob?.destroy();
    await until("both are offline", () => receiver.taken.length >= 4, PATIENCE_MS);
    for (const i of [0, 1]) expect(storyOf(receiver, `user ${i}`)).toEqual([ONLINE, OFFLINE]);
  },
);

it("[HOOK-20] relays on a bus that have receivers, and no outbox to share, do not start", () => {
  const options = { bus: new MemoryBus(), webhook: "http://127.0.0.1:1/", webhookSecret: SIGNING_SECRET };
  expect(() => createRelay(options)).toThrow("needs a sharedOutbox");
});
