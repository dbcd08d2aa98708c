/**
 * A relay, or the database of one, that is killed while twenty people type: what others were told is there afterwards. Each is
 * killed twice, and more often with `node scripts/seeded/kill.js`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { type PostgresServer, startPostgres } from "../../relay/postgres.ts";
import { ownClient, pause, stockClient, until } from "../../support.ts";
import { runRelay } from "../processes.ts";

const KILLS = Number(process.env["STORE_KILLS"] ?? 2);
const TYPISTS = 20;
/** Each types about so often, ms. */
const KEYSTROKE_MS = 100;
/** At least so long before the end somebody leaves, ms: that is saved within 100 ms, and a busy machine takes longer. [PEOPLE-4] */
const SAVED_MS = 400;
/** Those who were there when the relay ended were last seen at most so long before, ms. [PEOPLE-2] */
const ALIVE_MS = 10_000;
const PATIENCE_MS = 20_000;

type Relay = Awaited<ReturnType<typeof runRelay>>;

/** What is to be there after the end. */
interface Expectation {
  /** How far each typist knew each other one: the clocks by client id. */
  readonly seen: readonly ReadonlyMap<number, number>[];
  readonly typists: readonly number[];
  readonly leaver: { readonly id: string; readonly lastSeen: number };
  readonly stayer: { readonly id: string };
  readonly endedAt: number;
}

function clocksOf({ doc }: WebsocketProvider): ReadonlyMap<number, number> {
  return Y.decodeStateVector(Y.encodeStateVector(doc));
}

/** People type, choose a status and leave, until `end` ends something at a moment nobody knows. */
async function typeUntil(relay: Relay, round: number, end: () => Promise<void>): Promise<Expectation> {
  const typists = Array.from({ length: TYPISTS }, () => stockClient(relay.url, "doc"));
  const watcher = ownClient(relay.url, "watcher");
  const [leaver, stayer] = [ownClient(relay.url, `leaver ${round}`), ownClient(relay.url, `stayer ${round}`)];
  const statusOf = (id: string): string | undefined => watcher.lobby.get(id)?.status;
  await until("all are in sync", () => typists.every(({ synced }) => synced), PATIENCE_MS);
  leaver.setStatus("dnd");
  stayer.setStatus("busy");
  const chosen = (): boolean => statusOf(leaver.user.id) === "dnd" && statusOf(stayer.user.id) === "busy";
  await until("the watcher sees what they chose", chosen, PATIENCE_MS);
  const typing = setInterval(() => {
    for (const { doc } of typists) {
      const text = doc.getText("t");
      // at the end: of what all write at the beginning Yjs compares each letter with all others, in each of twenty documents
      if (Math.random() < 20 / KEYSTROKE_MS) text.insert(text.length, "x");
    }
  }, 20);
  leaver.destroy();
  const gone = () => watcher.lobby.recent.find(({ id }) => id === leaver.user.id);
  await until("the watcher sees the leaver gone", () => gone() !== undefined, PATIENCE_MS);
  await pause(SAVED_MS + Math.random() * 1_000);
  const ending = end();
  const endedAt = Date.now();
  const seen = typists.map(clocksOf);
  const lastSeen = gone()?.lastSeen ?? 0;
  await ending;
  clearInterval(typing);
  // their pages are gone, and bring nothing back
  for (const each of [...typists, watcher, stayer]) each.destroy();
  return {
    seen,
    typists: typists.map(({ doc }) => doc.clientID),
    leaver: { id: leaver.user.id, lastSeen },
    stayer: { id: stayer.user.id },
    endedAt,
  };
}

/** How much of what others than its author had received is missing from the document. */
function missing({ seen, typists }: Expectation, kept: ReadonlyMap<number, number>): number {
  let most = 0;
  seen.forEach((clocks, i) => {
    for (const [author, clock] of clocks) {
      if (author !== typists[i]) most = Math.max(most, clock - (kept.get(author) ?? 0));
    }
  });
  return most;
}

/** Looks at a relay that was started again. Returns how many updates are lost. */
async function lookAt(relay: Relay, expected: Expectation): Promise<number> {
  const reader = stockClient(relay.url, "doc");
  const watcher = ownClient(relay.url, "watcher");
  await until("the document is there", () => reader.synced, PATIENCE_MS);
  const goneOf = (id: string) => watcher.lobby.recent.find((user) => user.id === id);
  await until(
    "both are known to have left",
    () => [expected.leaver, expected.stayer].every(({ id }) => goneOf(id) !== undefined),
    PATIENCE_MS,
  );
  expect(goneOf(expected.leaver.id)?.lastSeen).toBe(expected.leaver.lastSeen);
  const stayed = goneOf(expected.stayer.id)?.lastSeen ?? 0;
  expect(stayed).toBeGreaterThan(expected.endedAt - ALIVE_MS - SAVED_MS - 1_000);
  expect(stayed).toBeLessThan(expected.endedAt + 1_000);
  // on devices that know nothing of what was chosen
  const again = [expected.leaver, expected.stayer].map(({ id }) => ownClient(relay.url, id));
  await until(
    "what they had chosen holds",
    () => again.every(({ user }, i) => watcher.lobby.get(user.id)?.status === ["dnd", "busy"][i]),
    PATIENCE_MS,
  );
  const lost = missing(expected, clocksOf(reader));
  for (const each of [reader, watcher, ...again]) each.destroy();
  return lost;
}

async function killed(relay: Relay): Promise<void> {
  if (relay.exit() !== undefined) return;
  const exited = once(relay.process, "exit");
  relay.process.kill("SIGKILL");
  await exited;
}

/** @param end ends something, and resolves once all runs again that the next relay needs */
async function killAgainAndAgain(flags: readonly string[], end: (relay: Relay) => Promise<void>): Promise<void> {
  let lost = 0;
  let relay = await runRelay(flags);
  for (let round = 1; round <= KILLS; round++) {
    const ended = relay;
    const expected = await typeUntil(ended, round, () => end(ended));
    await killed(ended);
    relay = await runRelay(flags);
    const missed = await lookAt(relay, expected);
    if (missed > 0) lost++;
    console.log(`kill ${round}: ${missed > 0 ? `LOST ${missed}` : "nothing lost"}`);
  }
  expect(lost).toBe(0);
}

const timeout = 60_000 + KILLS * 30_000;

it(
  "[STORE-42] [PEOPLE-1] [PEOPLE-2] [PEOPLE-5] what others were told is there after the relay was killed, and so are leavers and choices",
  { timeout },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "copresence-kills-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await killAgainAndAgain(["--store", `file:${folder}`], killed);
  },
);

async function isReady({ url }: Relay): Promise<boolean> {
  return (await fetch(`${url.replace("ws:", "http:")}/readyz`)).ok;
}

it.each([
  { who: "the database", isRelayKilled: false },
  { who: "the database and the relay with it", isRelayKilled: true },
])(
  "[STORE-20] [STORE-42] what others were told is there after $who was killed, and so are leavers and choices",
  { timeout },
  async ({ isRelayKilled }) => {
    const database: PostgresServer = await startPostgres();
    onTestFinished(() => database.stop());
    await killAgainAndAgain(["--store", await database.database()], async (relay) => {
      await Promise.all([database.kill(), isRelayKilled ? killed(relay) : null]);
      await database.start();
      // what the database had not committed the relay still has, and appends now
      if (isRelayKilled) return;
      // what was said of people while there was no database is stored within this time once there is one
      await pause(3 * SAVED_MS);
      await until("all is stored", () => isReady(relay), PATIENCE_MS);
    });
  },
);
