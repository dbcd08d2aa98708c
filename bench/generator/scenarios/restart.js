// @ts-check
/** Many tabs, each in several rooms, whose server is told to stop and started again: until each sees everybody again. */
import { performance } from "node:perf_hooks";
import { until } from "../../until.js";
import { openTabs } from "./tabs.js";

const PER_ROOM = 5;

/**
 * @param {object} options
 * @param {number} options.port
 * @param {number} options.serverPid  Told to stop; the one who started it starts another at the same port.
 * @param {string} options.kind
 * @param {number} options.tabs
 * @param {number} options.roomsEach
 * @param {number} options.joinLimitMs
 * @param {number} options.limitMs
 */
export async function restart({ port, serverPid, kind, tabs: count, roomsEach, joinLimitMs, limitMs }) {
  const rooms = Array.from({ length: count }, (_, index) =>
    Array.from({ length: roomsEach }, (_room, i) => `room-${Math.floor(index / PER_ROOM)}-${i}`),
  );
  let sockets = 0;
  let firstAt = 0;
  const tabs = await openTabs(kind, `ws://127.0.0.1:${port}`, rooms, () => {
    if (sockets++ === 0) firstAt = performance.now();
  });
  if (!(await until(() => tabs.every(({ seesAll }) => seesAll(PER_ROOM)), joinLimitMs))) {
    throw new Error("not everybody has seen all before the restart");
  }
  sockets = 0;
  const toldAt = performance.now();
  process.kill(serverPid, "SIGTERM");
  await until(() => tabs.every(({ isUp }) => !isUp()), limitMs);
  /** When each that is back saw everybody again. @type {Map<number, number>} */
  const backAt = new Map();
  await until(() => {
    const now = performance.now();
    for (const [i, { seesAll }] of tabs.entries()) if (!backAt.has(i) && seesAll(PER_ROOM)) backAt.set(i, now);
    return backAt.size === count;
  }, limitMs);
  const since = [...backAt.values()].map((at) => Math.round(at - firstAt)).toSorted((a, b) => a - b);
  return {
    tabs: count,
    roomsEach,
    sockets,
    downMs: Math.round(firstAt - toldAt),
    back: backAt.size,
    /** null: not so many came back. */
    medianMs: since[Math.floor(count / 2)] ?? null,
    lastMs: since[count - 1] ?? null,
  };
}
