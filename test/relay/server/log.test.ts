import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Instruments } from "../../../src/relay/server/instruments.ts";
import { Sparing } from "../../../src/relay/util/sparing.ts";
import { closeOf, ownClient, startRelay, until } from "../../support.ts";
import { SECRET, tokenFor } from "../tokens.ts";

interface Line {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

function memoryLog() {
  const lines: Line[] = [];
  const write = (level: string) => (fields: object, message: string) => void lines.push({ ...fields, level, message });
  return { lines, log: { info: write("info"), warn: write("warn"), error: write("error") } };
}

it("[SEE-3] [SEE-4] who is refused is written with the reason and without the token, and no more than ten a second", async () => {
  const { lines, log } = memoryLog();
  const { url, relay } = await startRelay({ jwtSecret: SECRET, log });
  const closes = Array.from({ length: 15 }, () => closeOf(new WebSocket(`${url}/doc?token=s3cret`)));
  for (const { code } of await Promise.all(closes)) expect(code).toBe(4401);
  const refused = lines.filter(({ message }) => message === "refused");
  expect(refused.length).toBeGreaterThanOrEqual(10);
  expect(refused[0]).toMatchObject({ because: "unauthenticated", code: 4401, path: "/doc", address: "127.0.0.1" });
  await relay.close();
  expect(lines.map(({ message }) => message).slice(-2)).toEqual(["stopping: clients are told to come back", "stopped"]);
  expect(JSON.stringify(lines)).not.toContain("s3cret");
});

it("[SEE-3] [SEE-4] a room that a client of ours is refused is written with the reason and without the token", async () => {
  const { lines, log } = memoryLog();
  const { url } = await startRelay({ jwtSecret: SECRET, log });
  const stranger = ownClient(url, "alice", { token: "s3cret" });
  await until("she is refused", () => stranger.lobby.status === "refused");
  const alice = ownClient(url, "alice", { token: await tokenFor({ sub: "alice", rooms: { "@lobby": ["observe"] } }) });
  const { roster } = alice.join("salaries");
  await until("the room is refused to her", () => roster.status === "refused");
  const refused = lines.filter(({ message }) => message === "refused");
  expect(refused).toMatchObject([
    { because: "unauthenticated", code: 4401, room: "@lobby", address: "127.0.0.1" },
    { because: "grants", code: 4403, room: "salaries", address: "127.0.0.1" },
  ]);
  expect(JSON.stringify(lines)).not.toContain("s3cret");
});

describe("what comes too often", () => {
  it("[SEE-4] is left out, and how much of it is said", () => {
    let now = 0;
    const sparing = new Sparing(2, () => now);
    expect([1, 2, 3, 4].map(() => sparing.take().ok)).toEqual([true, true, false, false]);
    now = 1_000;
    expect(sparing.take()).toEqual({ ok: true, leftOut: 2 });
    expect(sparing.take()).toEqual({ ok: true, leftOut: 0 });
  });

  it("[SEE-5] a flush is told if it took a tenth of a second", () => {
    const slow: string[] = [];
    const instruments = new Instruments((room, tookMs) => slow.push(`${room} ${tookMs}`));
    instruments.flushed("doc", 99, 1);
    instruments.flushed("large", 100, 1);
    expect(slow).toEqual(["large 100"]);
  });
});
