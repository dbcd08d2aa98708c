// @ts-check
/** What a hostile client costs a server, as two honest people in another room see it. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { residentBytes } from "../generator/proc.js";
import { costly } from "../peers/costly.js";
import { Witness } from "../peers/witness.js";
import { GENERATOR_CORE, pinned } from "../runner/pinning.js";
import { start, stop } from "../runner/processes.js";
import { hocuspocus, relay, startServer, yWebsocket } from "../runner/servers.js";
import { ORIGIN } from "../secret.js";

/**
 * @typedef {object} ResourceRow
 * @property {string} server
 * @property {string} attack
 * @property {number} sentPerSecond  Bytes.
 * @property {number} longestMs  The longest age of a cursor in another room.
 * @property {number} before  Memory of the server, bytes.
 * @property {number} peak
 * @property {string} outcome
 */
/** @typedef {{ sent: number, seconds: number, closes: string[] }} Told */

const ATTACKER = fileURLToPath(new URL("../peers/attacker.js", import.meta.url));
const SECONDS = { quick: 4, full: 10 };
const CURSOR_MS = 50;
const LOOK_MS = 20;
const SETTLE_MS = 1_000;
/** For what the attack left to do, and for a server that answers nobody any more. */
const AFTER_MS = 5_000;
const LIMIT_MS = 60_000;
/** Only our relay speaks it. */
const OWN = new Set(["patches one of 7,800 fields, 900 times a second"]);

/** @type {import("./case.js").Case<{ rows: ResourceRow[] }>} */
export const resources = {
  name: "resources",
  summary: "what one hostile client costs a server, as people in another room notice it",
  async run({ quick, log, attempt }) {
    /** @type {ResourceRow[]} */
    const rows = [];
    for (const attack of Object.keys(costly)) {
      for (const kind of OWN.has(attack) ? [relay()] : [relay(), yWebsocket, hocuspocus]) {
        const seconds = quick ? SECONDS.quick : SECONDS.full;
        const row = await attempt(`${attack}: ${kind.name}`, () => tryOn(kind, attack, seconds));
        if (row === null) continue;
        rows.push(row);
        log(`${attack}: ${kind.name}: ${Math.round(row.longestMs)} ms; ${row.outcome}`);
      }
    }
    return { rows };
  },
};

/**
 * @param {import("../runner/servers.js").ServerKind} kind
 * @param {string} attack
 * @param {number} seconds
 * @returns {Promise<ResourceRow>}
 */
async function tryOn(kind, attack, seconds) {
  const server = await startServer(kind);
  const url = `ws://127.0.0.1:${server.port}`;
  const named = kind === hocuspocus;
  const [alice, bob] = [0, 1].map(() => new Witness(url, "honest", { named, token: undefined, origin: ORIGIN }));
  if (alice === undefined || bob === undefined) throw new TypeError("unreachable");
  /** @type {NodeJS.Timeout[]} */
  const timers = [];
  try {
    await Promise.all([alice.open(), bob.open()]);
    timers.push(setInterval(() => alice.set("cursor", performance.now()), CURSOR_MS));
    await sleep(SETTLE_MS);
    const before = residentBytes(server.pid);
    let [longestMs, peak] = [0, before];
    timers.push(
      setInterval(() => {
        const cursor = Number(bob.awareness.states.get(alice.id)?.["cursor"]);
        if (Number.isFinite(cursor)) longestMs = Math.max(longestMs, performance.now() - cursor);
        if (server.child.exitCode === null && server.child.signalCode === null) {
          peak = Math.max(peak, residentBytes(server.pid));
        }
      }, LOOK_MS),
    );
    const told = await attackWith(url, attack, seconds, named);
    await sleep(AFTER_MS);
    const isDown = server.child.exitCode !== null || server.child.signalCode !== null;
    return {
      server: kind.name,
      attack,
      sentPerSecond: told === null ? Number.NaN : told.sent / told.seconds,
      longestMs,
      before,
      peak,
      outcome: outcomeOf(isDown, alice.lost + bob.lost, told),
    };
  } finally {
    for (const timer of timers) clearInterval(timer);
    alice.close();
    bob.close();
    await server.stop();
  }
}

/**
 * @param {boolean} isDown
 * @param {number} lost  How often honest people lost their connection.
 * @param {Told | null} told
 */
function outcomeOf(isDown, lost, told) {
  if (isDown) return "the server is down";
  const honest = lost === 0 ? [] : [`honest people are disconnected ${lost} times`];
  const mallory =
    told === null ? "she is still at it" : told.closes.map((close) => `she is closed: ${close}`).join(", ");
  return [...honest, mallory || "she may go on"].join("; ");
}

/**
 * @param {string} url @param {string} attack @param {number} seconds @param {boolean} named
 * @returns {Promise<Told | null>}
 */
async function attackWith(url, attack, seconds, named) {
  const args = [process.execPath, ATTACKER, url, attack, String(seconds), named ? "named" : ""];
  const child = start(pinned(GENERATOR_CORE, args), { ipc: true });
  try {
    const late = sleep(LIMIT_MS, null, { ref: false });
    const ended = once(child, "exit").then(() => null);
    return await Promise.race([once(child, "message").then(([told]) => /** @type {Told} */ (told)), late, ended]);
  } finally {
    await stop(child);
  }
}
