/**
 * How many relays and Redis nodes a world of a given size takes, computed from measured processor times. It measures nothing itself:
 * `docs/scale.md` says where each figure comes from.
 *
 *   node scripts/figures/scale.js                              a million people in 200,000 rooms, and a lobby of them all
 *   node scripts/figures/scale.js --people 50000 --rooms 10000 --changes 1 --split 0.1
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { realpathSync } from "node:fs";

/** Measured on one core, µs and bytes; relays and Redis use one core each. */
export const MEASURED = {
  /** What comes in: to read, check and apply one change of a client. */
  changeIn: 35,
  /** What goes out: one flush to one reader. */
  readerOut: 15,
  /** Publishing to the bus, and hearing from it, at a relay, for a message of about 200 bytes. */
  publish: 38,
  hear: 13,
  /** The same at Redis, for the publication and for each relay that hears it. */
  redisPublish: 5,
  redisDeliver: 5,
  /** Bytes of a change on the bus. */
  busBytes: 200,
  /** Bytes of memory of a tab at its relay. */
  tabBytes: 16 * 1024,
  /** One change of a person in a lobby that each relay writes for its readers, and the bytes that each reader gets of it. */
  lobbyWrite: 100,
  lobbyBytes: 95,
  /** How often a reader of a busy lobby is told, a second. */
  lobbyFlushes: 10,
  /** Bytes of a person in a lobby whose document a newcomer loads. */
  personBytes: 225,
};

/**
 * @typedef {object} World
 * @property {number} people
 * @property {number} rooms
 * @property {number} changes a second, of each person, in their room
 * @property {number} split the part of the rooms whose people are on two relays
 * @property {number} lobbyChanges of each person an hour: comes, goes, away
 * @property {number} lobbyReaders the part of the people who read the lobby whole
 * @property {number} lobbies how many lobbies the people are in
 * @property {boolean} spread the people of a lobby are on all relays; else on one, by a group or lobby that balancers hash
 * @property {number} load how much of a core is to be used
 */

/**
 * @param {World} world
 * @param {typeof MEASURED} [cost]
 */
export function plan(world, cost = MEASURED) {
  const perRoom = world.people / world.rooms;
  const changes = world.people * world.changes;
  // each change is told to the others of its room; those of one flush go together, which is left out here
  const roomCpu = changes * (cost.changeIn + cost.readerOut * (perRoom - 1));
  const shared = changes * world.split;
  const busCpu = shared * (cost.publish + cost.hear);
  const lobbyPeople = world.people / world.lobbies;
  const lobbyChanges = (world.people * world.lobbyChanges) / 3_600;
  const readers = lobbyPeople * world.lobbyReaders;
  const lobbyCpuWithout = lobbyChanges * (cost.lobbyWrite + cost.publish);
  // what changes within 100 ms goes to a reader as one
  const lobbyOut = readers * world.lobbies * Math.min(lobbyChanges / world.lobbies, cost.lobbyFlushes) * cost.readerOut;
  const base = roomCpu + busCpu + lobbyCpuWithout + lobbyOut;
  // where the people of a lobby are on all relays, each relay hears every change of it: the more relays, the more often
  const hearing = world.spread && readers > 0 ? (lobbyChanges * cost.hear) / 1e6 / world.load : 0;
  const relays = hearing >= 1 ? Infinity : Math.ceil(base / 1e6 / world.load / (1 - hearing));
  const hearers = world.spread && readers > 0 ? relays : 1;
  const redisUs =
    shared * (cost.redisPublish + cost.redisDeliver) + lobbyChanges * (cost.redisPublish + cost.redisDeliver * hearers);
  return {
    perRoom,
    relays,
    redisNodes: Math.max(1, Math.ceil(redisUs / 1e6 / world.load)),
    redisCores: redisUs / 1e6,
    busMegabytes: ((shared + lobbyChanges * hearers) * cost.busBytes) / 1e6,
    relayGigabytes: (world.people * cost.tabBytes) / relays / 1e9,
    lobby: {
      changes: lobbyChanges / world.lobbies,
      newcomerMegabytes: (lobbyPeople * cost.personBytes) / 1e6,
      readerKilobytes: ((lobbyChanges / world.lobbies) * cost.lobbyBytes) / 1e3,
    },
  };
}

const MILLION = {
  people: 1e6,
  rooms: 2e5,
  changes: 0.5,
  split: 0.05,
  lobbyChanges: 6,
  lobbies: 1,
  spread: true,
  load: 0.6,
};

/** @type {Readonly<Record<string, World>>} */
const WORLDS = {
  "one lobby that all read whole": { ...MILLION, lobbyReaders: 1 },
  "one lobby of which all are told numbers or some people": { ...MILLION, lobbyReaders: 0 },
  "a lobby for each 1,000 people, each on one relay": { ...MILLION, lobbyReaders: 1, lobbies: 1_000, spread: false },
  "the same, each spread over all relays": { ...MILLION, lobbyReaders: 1, lobbies: 1_000 },
  "the same, and each room on two relays": { ...MILLION, lobbyReaders: 1, lobbies: 1_000, split: 1 },
};

/** @param {number} value */
const short = (value) =>
  value === Infinity ? "∞" : value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(2);

function main() {
  const number = /** @type {const} */ ({ type: "string" });
  const { values } = parseArgs({
    options: {
      people: number,
      rooms: number,
      changes: number,
      split: number,
      "lobby-changes": number,
      lobbies: number,
      readers: number,
      load: number,
    },
  });
  /** @param {World} world @returns {World} */
  const given = (world) => ({
    people: Number(values.people ?? world.people),
    rooms: Number(values.rooms ?? world.rooms),
    changes: Number(values.changes ?? world.changes),
    split: Number(values.split ?? world.split),
    lobbyChanges: Number(values["lobby-changes"] ?? world.lobbyChanges),
    lobbyReaders: Number(values.readers ?? world.lobbyReaders),
    lobbies: Number(values.lobbies ?? world.lobbies),
    spread: world.spread,
    load: Number(values.load ?? world.load),
  });
  console.log(
    "| world | relays | Redis nodes (cores used) | bus MB/s | memory of a relay, GB | a lobby: changes/s · newcomer MB · reader KB/s |",
  );
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const [name, world] of Object.entries(WORLDS)) {
    const p = plan(given(world));
    const lobby = `${short(p.lobby.changes)} · ${short(p.lobby.newcomerMegabytes)} · ${short(p.lobby.readerKilobytes)}`;
    const cells = [
      name,
      short(p.relays),
      `${short(p.redisNodes)} (${short(p.redisCores)})`,
      short(p.busMegabytes),
      short(p.relayGigabytes),
      lobby,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
