// @ts-check
/**
 * What a large lobby costs those who look at it: `node scripts/figures/lobby.js [users, 10000] [users for watch, 100000]`, after
 * `npm run build`. The relay and all who are online are in a process of their own. With `--no-browser` nothing is measured in
 * Chromium. With `--relays=4` four relays share the lobby, in one process: what the one that is asked sends is what is measured.
 */
import { fork } from "node:child_process";
import { chromium } from "playwright-core";
import { build } from "vite";
import { WebSocket } from "ws";
import { createPresence } from "../../dist/client/index.js";
import { MemoryBus } from "../../dist/hub/index.js";
import { createRelay } from "../../dist/relay/index.js";
import { PATCH_SUBPROTOCOL, awarenessFrame, encodeEntries } from "../../dist/wire/index.js";
import { findChromium } from "../ensure.js";

const PER_ROOM = 50;
const CHANGES_PER_SECOND = 100;
const WINDOW_MS = 10_000;
const WORLD = "world";
const RELAYS = Number(process.argv.find((each) => each.startsWith("--relays="))?.slice("--relays=".length) ?? 1);

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {() => boolean} condition */
async function until(condition) {
  const deadline = performance.now() + 120_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("not within two minutes");
    await pause(1);
  }
}

/** The state of a user who is in one room. @param {number} i @param {string} status */
function stateOf(i, status) {
  const user = { id: `user-${i}`, name: `Person ${i}`, color: "#30bced", colorLight: "#30bced33" };
  return { user, copresence: { session: `s_${i}`, status, device: "desktop", since: Date.now(), meta: {} } };
}

/** The relays and those who are online, in a process of their own. @param {number} users */
async function world(users) {
  const bus = RELAYS > 1 ? { bus: new MemoryBus() } : {};
  const relays = Array.from({ length: RELAYS }, () =>
    createRelay({
      ...bus,
      maxAddressUsers: 0,
      maxLobbyUsers: 0,
      maxStatesTotal: 0,
      maxUserRooms: 0,
      connectRate: 0,
    }),
  );
  const urls = await Promise.all(relays.map(async (relay) => (await relay.listen(0, "127.0.0.1")).url));
  /** @type {WebSocket[]} */
  const sockets = [];
  let clock = 0;
  /** @param {number} room @param {readonly number[]} who @param {string} status */
  const say = (room, who, status) => {
    clock++;
    const entries = who.map((i) => ({
      id: i + 1,
      clock,
      state: new TextEncoder().encode(JSON.stringify(stateOf(i, status))),
    }));
    sockets[room]?.send(awarenessFrame(encodeEntries(entries)));
  };
  for (let room = 0; room * PER_ROOM < users; room++) {
    const socket = new WebSocket(`${urls[room % RELAYS]}/room-${room}`, [PATCH_SUBPROTOCOL]);
    await new Promise((resolve) => socket.once("open", resolve));
    sockets.push(socket);
    say(
      room,
      Array.from({ length: Math.min(PER_ROOM, users - room * PER_ROOM) }, (_, i) => room * PER_ROOM + i),
      "online",
    );
  }
  await until(() => relays.every((relay) => relay.users().length >= users));
  let turn = 0;
  process.on("message", (message) => {
    if (message !== "change") return;
    setInterval(() => {
      for (let i = 0; i < CHANGES_PER_SECOND / 20; i++) {
        const who = (turn++ * 7919) % users;
        say(Math.floor(who / PER_ROOM), [who], turn % 2 === 0 ? "online" : "away");
      }
    }, 50);
  });
  process.send?.({ url: urls[0] });
}

/** @param {number} users */
async function startWorld(users) {
  const child = fork(new URL(import.meta.url), [WORLD, String(users), `--relays=${RELAYS}`]);
  const { url } = await new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", () => reject(new Error("the world ended")));
  });
  return { url, child };
}

/** A client, and what it has been sent. @param {string} url @param {object} options */
function observer(url, options) {
  let bytes = 0;
  class Counted extends WebSocket {
    /** @param {string} address @param {string[]} [protocols] */
    constructor(address, protocols) {
      super(address, protocols);
      this.on("message", (/** @type {ArrayBuffer} */ data) => void (bytes += data.byteLength));
    }
  }
  const startedAt = performance.now();
  const presence = createPresence(url, { user: { id: "observer" }, WebSocket: Counted, ...options });
  return { presence, bytes: () => bytes, ms: () => Math.round(performance.now() - startedAt) };
}

/** What part of a core this process takes, over a while. */
async function coreShare() {
  await pause(2_000);
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await pause(WINDOW_MS);
  const { user, system } = process.cpuUsage(before);
  return `${((user + system) / 10 / (performance.now() - startedAt)).toFixed(1)} %`;
}

/** The client as one script. */
async function clientScript() {
  const entry = new URL("../../dist/client/index.js", import.meta.url).pathname;
  const lib = { entry, formats: /** @type {["iife"]} */ (["iife"]), name: "copresence" };
  const built = await build({ configFile: false, logLevel: "error", build: { write: false, lib } });
  const [output] = [built].flat();
  if (output === undefined || !("output" in output)) throw new Error("nothing was built");
  return output.output.flatMap((chunk) => (chunk.type === "chunk" ? [chunk.code] : [])).join("\n");
}

/** A newcomer in Chromium: when it has whom, and the longest tasks. @param {string} url @param {number} users */
async function inChromium(url, users) {
  const executablePath = findChromium();
  if (executablePath === null) return { chromium: "none" };
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const page = await browser.newPage();
  await page.addScriptTag({ content: await clientScript() });
  const found = await page.evaluate(
    async ([address, count]) => {
      /** @type {number[]} */
      const tasks = [];
      new PerformanceObserver((list) =>
        tasks.push(...list.getEntries().map(({ duration }) => Math.round(duration))),
      ).observe({
        type: "longtask",
      });
      // @ts-expect-error -- the page has the script
      const presence = globalThis.copresence.createPresence(address, { user: { id: "newcomer" } });
      const startedAt = performance.now();
      const room = presence.join("room-3");
      let roomMs = 0;
      let ownMs = 0;
      room.roster.on("synced", () => (roomMs = performance.now() - startedAt));
      presence.lobby.subscribe(() => {
        if (ownMs === 0 && presence.lobby.countIn("room-3") > 50) ownMs = performance.now() - startedAt;
      });
      while (!presence.lobby.synced || presence.lobby.count < count)
        await new Promise((resolve) => setTimeout(resolve, 5));
      const everybodyMs = performance.now() - startedAt;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return {
        roomMs: Math.round(roomMs),
        ownMs: Math.round(ownMs),
        everybodyMs: Math.round(everybodyMs),
        tasksAbove50Ms: tasks,
      };
    },
    /** @type {const} */ ([url, users]),
  );
  await browser.close();
  return found;
}

/** @param {number} users */
async function newcomers(users) {
  const { url, child } = await startWorld(users);
  for (let i = 0; i < 3; i++) {
    const { presence, bytes, ms } = observer(url, {});
    const room = presence.join("room-3");
    await until(() => room.roster.count > PER_ROOM - 1);
    const roomMs = ms();
    await until(() => presence.lobby.synced && presence.lobby.count >= users);
    console.log({ users, newcomer: i, roomMs, everybodyMs: ms(), bytes: bytes() });
    presence.destroy();
  }
  if (!process.argv.includes("--no-browser")) console.log({ users, ...(await inChromium(url, users)) });
  child.send("change");
  for (const [what, options, read] of /** @type {const} */ ([
    ["users, rooms, count", {}, (/** @type {any} */ { users: all, rooms, count }) => all.length + rooms.length + count],
    ["count", {}, (/** @type {any} */ { count }) => count],
    ["counts alone", { observeLobby: "counts" }, (/** @type {any} */ { count, rooms }) => count + rooms.length],
  ])) {
    const { presence } = observer(url, options);
    await until(() => presence.lobby.synced);
    let changes = 0;
    presence.lobby.subscribe(() => {
      changes++;
      read(presence.lobby);
    });
    console.log({ users, reads: what, core: await coreShare(), changes });
    presence.destroy();
  }
  child.kill();
}

/** @param {number} users */
async function watchers(users) {
  const { url, child } = await startWorld(users);
  for (let i = 0; i < 3; i++) {
    const counts = observer(url, { observeLobby: "counts" });
    await until(() => counts.presence.lobby.synced);
    console.log({ users, counted: counts.presence.lobby.count, ms: counts.ms(), bytes: counts.bytes() });
    counts.presence.destroy();
    const some = observer(url, { observeLobby: false });
    const watch = some.presence.watch(Array.from({ length: 200 }, (_, k) => `user-${k * 37}`));
    await until(() => watch.synced);
    console.log({ users, watched: watch.count, ms: some.ms(), bytes: some.bytes() });
    some.presence.destroy();
  }
  child.kill();
}

const [first = "10000", second = "100000"] = process.argv.slice(2).filter((each) => !each.startsWith("--"));
if (first === WORLD) await world(Number(second));
else {
  await newcomers(Number(first));
  await watchers(Number(second));
  process.exit();
}
