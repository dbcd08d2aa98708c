// @ts-check
/** What an attacker in the room brings about, with two honest people there, on servers as they are when just started. */
import { setTimeout as sleep } from "node:timers/promises";
import { tokenOf } from "../generator/clients/signed.js";
import { Witness } from "../peers/witness.js";
import { hocuspocus, relay, relaySigned, startServer, yWebsocket } from "../runner/servers.js";

/** @typedef {{ server: string, attack: string, outcome: string }} AttackRow */
/** @typedef {{ alice: Witness, bob: Witness, mallory: Witness, open: (index: number) => Promise<Witness> }} Scene */

const ROOM = "doc";
const FAR = 2 ** 40;
const SETTLE_MS = 500;
const ALICE = '{"user":{"id":"u0","name":"Alice"},"cursor":"forged"}';

/** Each leaves the room, for Alice and Bob to see what is left of it. @type {Record<string, (scene: Scene) => void | Promise<void>>} */
const attacks = {
  "says that she is Alice": ({ mallory }) => mallory.say([66, FAR, ALICE]),
  "removes everyone": ({ alice, bob, mallory }) => mallory.say([alice.id, FAR, "null"], [bob.id, FAR, "null"]),
  "moves Alice's cursor": ({ alice, mallory }) => mallory.say([alice.id, FAR, ALICE]),
  "uses up Alice's clock": ({ alice, mallory }) => mallory.say([alice.id, 2 ** 53 - 2, ALICE]),
  "brings back one who left": async ({ mallory, open }) => {
    const carol = await open(3);
    carol.set("user", { id: "u3", name: "Carol" });
    await sleep(SETTLE_MS);
    carol.awareness.setLocalState(null);
    carol.say([carol.id, FAR, "null"]);
    await sleep(SETTLE_MS);
    carol.close();
    mallory.say([carol.id, FAR + 1, '{"user":{"id":"u3","name":"Carol"}}']);
  },
  "sends one malformed state": ({ mallory }) => mallory.say([66, FAR, "{"]),
  "sends deep nesting": ({ mallory }) => mallory.say([66, FAR, `{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}`]),
  "sends 5,000 ids": ({ mallory }) => {
    /** @type {[number, number, string][]} */
    const said = Array.from({ length: 5_000 }, (_, i) => [100 + i, 1, "{}"]);
    mallory.say(...said);
  },
  "sends a message of 100 MB": async ({ mallory }) => {
    mallory.send(new Uint8Array(100 * 2 ** 20));
    await sleep(2_000);
  },
};

/** @type {import("./case.js").Case<{ rows: AttackRow[] }>} */
export const attacksCase = {
  name: "attacks",
  summary: "what somebody hostile in the room brings about, as two honest people see it",
  async run({ log }) {
    /** @type {AttackRow[]} */
    const rows = [];
    for (const [attack, make] of Object.entries(attacks)) {
      for (const kind of [relay(), relaySigned, yWebsocket, hocuspocus]) {
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
 * @param {(scene: Scene) => void | Promise<void>} attack
 */
async function tryOn(kind, attack) {
  const server = await startServer(kind);
  /** @type {Witness[]} */
  const all = [];
  const isSigned = kind === relaySigned;
  /** @param {number} index */
  const open = async (index) => {
    const witness = new Witness(`ws://127.0.0.1:${server.port}`, ROOM, {
      named: kind === hocuspocus,
      token: isSigned ? tokenOf(index) : undefined,
    });
    all.push(witness);
    await witness.open();
    return witness;
  };
  try {
    const [alice, bob, mallory] = [await open(0), await open(1), await open(2)];
    alice.set("user", { id: "u0", name: "Alice" });
    bob.set("user", { id: "u1", name: "Bob" });
    await sleep(SETTLE_MS);
    alice.set("cursor", 1);
    await sleep(SETTLE_MS);
    if (bob.awareness.states.get(alice.id)?.["cursor"] !== 1) return "they never saw each other";
    await attack({ alice, bob, mallory, open });
    await sleep(SETTLE_MS);
    const seen = lookAt(alice, bob);
    alice.set("cursor", 2);
    await sleep(SETTLE_MS);
    if (server.child.exitCode !== null) return "the server is down";
    if (alice.lost + bob.lost > 0) return "they are disconnected";
    const after = bob.awareness.states.get(alice.id)?.["cursor"] === 2 ? [] : ["Bob does not hear Alice any more"];
    return [...seen, ...after].join("; ") || "nothing";
  } finally {
    for (const witness of all) witness.close();
    await server.stop();
  }
}

/**
 * @param {Witness} alice
 * @param {Witness} bob
 */
function lookAt(alice, bob) {
  const told = [];
  const state = bob.awareness.states.get(alice.id);
  if (state === undefined) told.push("Alice is gone for Bob");
  else if (state["cursor"] !== 1) told.push("Alice's cursor is forged");
  const others = [...bob.awareness.states].filter(([id]) => id !== alice.id && id !== bob.id);
  const forged = others.map(([, { user }]) => /** @type {{ id?: string } | undefined} */ (user)?.id);
  if (forged.includes("u0")) told.push("there are two Alices");
  if (forged.includes("u3")) told.push("Carol is back");
  if (others.length > 100) told.push(`Bob sees ${others.length} ghosts`);
  return told;
}
