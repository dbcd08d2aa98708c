// @ts-check
/** What an attacker in the room brings about, with two honest people there, on servers as they are when just started. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { tokenOf } from "../generator/clients/signed.js";
import { Witness } from "../peers/witness.js";
import { hocuspocus, relay, relayGuarded, startServer, yWebsocket } from "../runner/servers.js";
import { ORIGIN } from "../secret.js";
import { until } from "../until.js";

/** @typedef {{ server: string, attack: string, outcome: string }} AttackRow */
/** @typedef {import("../peers/witness.js").WitnessOptions} WitnessOptions */
/** @typedef {(index: number, options?: Partial<WitnessOptions>) => Promise<Witness>} Open */
/** @typedef {{ alice: Witness, bob: Witness, mallory: Witness, open: Open, port: number }} Scene */

const ROOM = "doc";
const FAR = 2 ** 40;
const SETTLE_MS = 500;
const ALICE = '{"user":{"id":"u0","name":"Alice"},"cursor":"forged"}';
const MALLORY = 2;
const STRANGERS = 200;
/** As long as handshakes are watched. */
const PATIENCE_MS = 15_000;

/**
 * Each leaves the room, for Alice and Bob to see what is left of it. May say what else came of it.
 *
 * @type {Record<string, (scene: Scene) => unknown>}
 */
const attacks = {
  "says that she is Alice": ({ mallory }) => mallory.say([66, FAR, ALICE]),
  "removes everyone": ({ alice, bob, mallory }) => mallory.say([alice.id, FAR, "null"], [bob.id, FAR, "null"]),
  "removes Alice": ({ alice, mallory }) => mallory.say([alice.id, FAR, "null"]),
  "moves Alice's cursor": ({ alice, mallory }) => mallory.say([alice.id, FAR, ALICE]),
  "uses up Alice's clock": ({ alice, mallory }) => mallory.say([alice.id, 2 ** 53 - 2, ALICE]),
  "brings back one who left": async ({ mallory, open }) => {
    const carol = await open(3);
    carol.set("user", { id: "u3", name: "Carol" });
    await sleep(SETTLE_MS);
    carol.awareness.setLocalState(null);
    await sleep(SETTLE_MS);
    carol.close();
    mallory.say([carol.id, FAR + 1, '{"user":{"id":"u3","name":"Carol"}}']);
  },
  "takes the id of one who reconnects": async ({ bob, mallory, open }) => {
    const carol = await open(3);
    carol.set("user", { id: "u3", name: "Carol" });
    await sleep(SETTLE_MS);
    carol.cut();
    await sleep(SETTLE_MS);
    mallory.say([carol.id, FAR, '{"user":{"id":"u2","name":"Mallory"}}']);
    await sleep(SETTLE_MS);
    const again = await open(3, { as: carol });
    await sleep(2 * SETTLE_MS);
    const seen = /** @type {{ id?: string } | undefined} */ (bob.awareness.states.get(carol.id)?.["user"]);
    again.awareness.setLocalState(null);
    mallory.say([carol.id, 2 * FAR, "null"]);
    await sleep(SETTLE_MS);
    return seen?.id === "u3" ? [] : ["Bob does not see Carol, who is back"];
  },
  "sends one malformed state": ({ mallory }) => mallory.say([66, FAR, "{"]),
  "sends deep nesting": ({ mallory }) => mallory.say([66, FAR, `{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}`]),
  "sends __proto__": async ({ bob, mallory }) => {
    mallory.say([66, FAR, '{"__proto__":{"polluted":1},"user":{"__proto__":{"id":"u0"},"constructor":1}}']);
    await sleep(SETTLE_MS);
    mallory.say([66, FAR + 1, "null"]);
    return /** @type {Record<string, unknown>} */ ({})["polluted"] === undefined && bob.lost === 0 ? [] : ["polluted"];
  },
  "sends 5,000 ids": ({ mallory }) => {
    /** @type {[number, number, string][]} */
    const said = Array.from({ length: 5_000 }, (_, i) => [100 + i, 1, "{}"]);
    mallory.say(...said);
  },
  "sends 100,000 small messages": async ({ mallory, bob, alice }) => {
    const startedAt = Date.now();
    for (let i = 0; i < 100_000; i++) mallory.say([66, FAR + i, `{"n":${i}}`]);
    const heard = await until(() => alice.lost + bob.lost > 0 || mallory.lost > 0 || mallory.unsent === 0, PATIENCE_MS);
    if (mallory.lost > 0) return ["she is disconnected"];
    return [`the server takes all, for ${heard ? Math.round((Date.now() - startedAt) / 100) / 10 : "more than 15"} s`];
  },
  "sends a message of 100 MB": async ({ mallory }) => {
    mallory.send(new Uint8Array(100 * 2 ** 20));
    await sleep(2_000);
  },
  "opens 200 connections and says nothing": async ({ port }) => heldAfter(port, () => {}),
  "opens 200 connections, a byte at a time": async ({ port }) =>
    heldAfter(port, (socket, turn) => void socket.write("GET /doc HTTP/1.1\r\nHost: x\r\nX-Slow: "[turn] ?? "a")),
  "comes with an expired token": ({ open, bob }) => comesIn(open, bob, { token: tokenOf(MALLORY, { exp: 1 }) }),
  "comes with an unsigned token": ({ open, bob }) => comesIn(open, bob, { token: tokenOf(MALLORY, {}, null) }),
  "comes with a token signed by herself": ({ open, bob }) =>
    comesIn(open, bob, { token: tokenOf(MALLORY, {}, "a secret of her own, of more than 32 bytes") }),
  "comes with a token for another service": ({ open, bob }) =>
    comesIn(open, bob, { token: tokenOf(MALLORY, { aud: "another" }) }),
  "comes from a page of another site": ({ open, bob }) => comesIn(open, bob, { origin: "https://evil.example" }),
};

/**
 * @param {Open} open
 * @param {Witness} bob
 * @param {Partial<WitnessOptions>} options
 */
async function comesIn(open, bob, options) {
  const stranger = await open(MALLORY, options).catch(() => null);
  stranger?.set("user", { id: "u2", name: "Mallory" });
  await sleep(SETTLE_MS);
  const isIn = stranger !== null && stranger.lost === 0 && bob.awareness.states.has(stranger.id);
  stranger?.awareness.setLocalState(null);
  return isIn ? ["she is let in"] : [];
}

/**
 * @param {number} port
 * @param {(socket: import("node:net").Socket, turn: number) => void} each  Every half a second.
 */
async function heldAfter(port, each) {
  const sockets = Array.from({ length: STRANGERS }, () => connect(port, "127.0.0.1").on("error", () => {}));
  const open = () => sockets.filter(({ closed }) => !closed);
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  for (const socket of sockets) socket.resume();
  for (let turn = 0; turn * SETTLE_MS < PATIENCE_MS; turn++) {
    for (const socket of open()) each(socket, turn);
    await sleep(SETTLE_MS);
  }
  const held = open().length;
  for (const socket of sockets) socket.destroy();
  return held === 0 ? [] : [`${held} are held open after ${PATIENCE_MS / 1_000} s`];
}

/** @type {import("./case.js").Case<{ rows: AttackRow[] }>} */
export const attacksCase = {
  name: "attacks",
  summary: "what somebody hostile in the room brings about, as two honest people see it",
  async run({ log }) {
    /** @type {AttackRow[]} */
    const rows = [];
    for (const [attack, make] of Object.entries(attacks)) {
      for (const kind of [relay(), relayGuarded, yWebsocket, hocuspocus]) {
        const outcome = await tryOn(kind, make);
        rows.push({ server: kind.name, attack, outcome });
        log(`${attack}: ${kind.name}: ${outcome}`);
      }
    }
    return { rows };
  },
};

/**
 * @param {import("../runner/servers.js").ServerKind} kind
 * @param {(scene: Scene) => unknown} attack
 */
async function tryOn(kind, attack) {
  const server = await startServer(kind);
  /** @type {Witness[]} */
  const all = [];
  /** @type {Open} */
  const open = async (index, options = {}) => {
    const token = kind === relayGuarded ? tokenOf(index) : undefined;
    const url = `ws://127.0.0.1:${server.port}`;
    const witness = new Witness(url, ROOM, { named: kind === hocuspocus, token, origin: ORIGIN, ...options });
    all.push(witness);
    await witness.open();
    return witness;
  };
  try {
    const [alice, bob, mallory] = [await open(0), await open(1), await open(MALLORY)];
    alice.set("user", { id: "u0", name: "Alice" });
    bob.set("user", { id: "u1", name: "Bob" });
    await sleep(SETTLE_MS);
    alice.set("cursor", 1);
    await sleep(SETTLE_MS);
    if (bob.awareness.states.get(alice.id)?.["cursor"] !== 1) return "they never saw each other";
    const told = await attack({ alice, bob, mallory, open, port: server.port });
    await sleep(SETTLE_MS);
    const seen = [...(Array.isArray(told) ? told : []), ...lookAt(alice, bob)];
    alice.set("cursor", 2);
    await sleep(SETTLE_MS);
    if (server.child.exitCode !== null) return "the server is down";
    if (alice.lost + bob.lost > 0) return "they are disconnected";
    if (bob.awareness.states.get(alice.id)?.["cursor"] !== 2) seen.push("Bob does not hear Alice any more");
    return seen.join("; ") || "nothing";
  } finally {
    for (const witness of all) witness.close();
    await server.stop();
  }
}

/**
 * @param {Witness} alice
 * @param {Witness} bob
 * @returns {string[]}
 */
function lookAt(alice, bob) {
  const told = [];
  const state = bob.awareness.states.get(alice.id);
  if (state === undefined) told.push("Alice is gone for Bob");
  else if (bob.missed.includes(alice.id)) told.push("Alice is gone for Bob, and comes back");
  else if (state["cursor"] !== 1) told.push("Alice's cursor is forged");
  if (!alice.awareness.states.has(bob.id)) told.push("Bob is gone for Alice");
  const others = [...bob.awareness.states].filter(([id]) => id !== alice.id && id !== bob.id);
  const forged = others.map(([, { user }]) => /** @type {{ id?: string } | undefined} */ (user)?.id);
  if (forged.includes("u0")) told.push("there are two Alices");
  if (forged.includes("u3")) told.push("Carol is back");
  if (others.length > 100) told.push(`Bob sees ${others.length} ghosts`);
  return told;
}
