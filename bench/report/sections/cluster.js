// @ts-check
import { BOUND_NOTE, bytes, marked, median, number, percent, table } from "../format.js";

/** @typedef {import("../../cases/cluster/index.js").CrowdRow} CrowdRow */
/** @typedef {import("../../cases/cluster/index.js").LobbyRow} LobbyRow */
/** @typedef {import("../../generator/meter.js").Cores} Cores */

/** What servers and Redis cost. */
const CORES_HEAD = ["each server, core", "in sum", "of one alone", "Redis"];

/** @param {import("../../cases/cluster/index.js").ClusterData} data */
export function clusterSection({ room, rooms, lobby, healing }) {
  return [
    "Several relays on one Redis against one relay alone; beside it Hocuspocus servers with their own extension for Redis.",
    "Local: sender and receiver are on one server; remote: on two. Servers and Redis may use both cores here.",
    "",
    "One room, half of it on each of two servers; everybody moves a cursor 10 times a second:",
    "",
    crowdTable(room, ({ size }) => number(size)),
    "",
    "Many rooms of five, on one server; each whole on one of two; each spread over two:",
    "",
    crowdTable(rooms, (row) => `${row.rooms} × ${row.size}, ${row.changesPerSecond}/s`),
    "",
    BOUND_NOTE,
    "",
    "A lobby whose users and observers are spread over relays. Seen: until it stands in an observer's document, on whichever",
    "relay. Apart: from the first of ten observers on all relays that sees a change until the last does. A newcomer is a",
    "client of ours in a process of its own, dealt to the relays in turn:",
    "",
    lobbyTable(lobby),
    "",
    "Redis killed, everybody changes once, Redis started again, empty. Times are from when Redis listens again, CPU until 2 s",
    "after all had healed:",
    "",
    healingTable(healing),
  ].join("\n");
}

/**
 * @param {readonly CrowdRow[]} rows
 * @param {(row: CrowdRow) => string} nameOf
 */
function crowdTable(rows, nameOf) {
  const cells = rows.map((row) => {
    const { apart, servers } = row;
    const remote = servers > 1 && row.by === "person" ? apart?.remote : undefined;
    const alone = rows.find((other) => other.server === row.server && other.size === row.size && other.servers === 1);
    return [
      nameOf(row),
      row.server,
      layoutOf(row),
      number(apart?.local.p50 ?? Number.NaN),
      number(apart?.local.p99 ?? Number.NaN),
      number(remote?.p50 ?? Number.NaN),
      marked(number(remote?.p99 ?? Number.NaN), row),
      percent(row.knownShare),
      ...coresCells(row.coresOf, alone?.coresOf),
      percent(row.generatorCores),
    ];
  });
  const times = ["local p50, ms", "p99", "remote p50, ms", "p99", "known"];
  return table(["people", "server", "on", ...times, ...CORES_HEAD, "generator"], cells);
}

/** @param {readonly LobbyRow[]} rows */
function lobbyTable(rows) {
  const alone = rows.find(({ servers }) => servers === 1);
  const cells = rows.map((row) => [
    number(row.servers),
    number(row.users),
    number(row.observers),
    number(row.changes / row.seconds),
    number(row.freshness.p50),
    number(row.freshness.p99),
    number(row.agreement.p99),
    ...coresCells(row.coresOf, alone?.coresOf),
    `${number(median(row.newcomers.map(({ rosterMs }) => rosterMs)))} ms`,
    `${number(Math.max(...row.newcomers.map(({ rosterMs }) => rosterMs)))} ms`,
    number(Math.min(...row.newcomers.map(({ users }) => users))),
    bytes(row.residentBytes),
  ]);
  const head = ["relays", "users", "observers", "changes/s", "seen p50, ms", "p99", "apart p99, ms", ...CORES_HEAD];
  return table([...head, "newcomer, median", "at most", "people it has", "resident in sum"], cells);
}

/** @param {import("../../cases/cluster/index.js").ClusterData["healing"]} rows */
function healingTable(rows) {
  const cells = rows.map((row) => [
    `${number(row.rooms)} on ${row.servers}`,
    number(row.people),
    `${number(row.healed)} of ${number(row.missed)}`,
    `${number(row.medianMs ?? Number.NaN)} ms`,
    `${number(row.lastMs ?? Number.NaN)} ms`,
    row.cpuSeconds.map((seconds) => `${number(seconds)} s`).join(" + "),
    bytes(row.bytes),
  ]);
  return table(["rooms", "people", "healed", "half after", "the last after", "CPU of each", "through Redis"], cells);
}

/** @param {import("../../cases/cluster/index.js").Placed} row */
function layoutOf({ servers, by }) {
  if (servers === 1) return "1";
  return by === "room" ? `${servers}, rooms whole` : `${servers}, rooms spread`;
}

/**
 * @param {Cores | undefined} cores
 * @param {Cores | undefined} alone
 */
function coresCells(cores, alone) {
  if (cores === undefined) return ["–", "–", "–", "–"];
  const { servers, bus } = cores;
  const [all, one] = [sum(servers), sum(alone?.servers ?? [])];
  const ratio = servers.length === 1 ? "–" : `${number(all / one)} ×`;
  return [servers.map(percent).join(" + "), percent(all), ratio, bus === null ? "–" : percent(bus)];
}

/** @param {readonly number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
