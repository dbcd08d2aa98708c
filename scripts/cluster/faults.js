/**
 * `npm run cluster:faults`: what people notice when a relay, Redis or a network fails. Three relays, a balancer and Redis as real
 * processes, a thousand clients of ours and a hundred stock clients in fifty rooms and the lobby; each fault is made for real,
 * and what every client saw is counted.
 *
 *   npm run cluster:faults                            all of them, some ten minutes, on a machine that does nothing else
 *   npm run cluster:faults -- --small                 a hundred clients and ten stock clients in ten rooms
 *   npm run cluster:faults -- --only "kill -9"        those whose name begins so
 *   npm run cluster:faults -- --json FILE             writes what was measured there, too
 *
 * The last column says how long the clients' process itself stood still at most. Where that is more than some 500 ms the machine
 * was too busy: clients came back late, and what was counted says more of the machine than of the relays.
 *
 * Where this machine lets the script make network namespaces (Linux, as root, with `ip`) each relay is a host of its own, and networks
 * fail as a cable does that is pulled; elsewhere, and with `--proxy`, they fail in a proxy of this script.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startCluster } from "./failing.js";
import { openNamespaces, whyNoNamespaces } from "./namespaces.js";
import { freePort, pause, startRedis, until } from "./processes.js";

const { values } = parseArgs({
  options: {
    small: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    json: { type: "string" },
    proxy: { type: "boolean", default: false },
  },
});
const SIZE = values.small ? { own: 100, stock: 10, rooms: 10 } : { own: 1_000, stock: 100, rooms: 50 };
/** How long Redis is away, and networks are, ms. */
const AWAY_MS = values.small ? 8_000 : 30_000;
/** How long everybody may take to be back before that is a failure of its own, ms. */
const PATIENCE_MS = 60_000;
/** Past the time that anybody is waited for, ms. */
const SETTLE_MS = 7_000;

const why = values.proxy ? "--proxy says so" : whyNoNamespaces();
console.error(
  why === null
    ? "each relay is a host in a network namespace; networks fail as a cable that is pulled"
    : `networks fail in a proxy: ${why}`,
);
/** @type {import("./failing.js").Cluster | null} */
let started = null;
const interrupt = () => void Promise.resolve(started?.stop()).finally(() => process.exit(1));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, interrupt);
const cluster = await startCluster(SIZE, why === null ? openNamespaces(3) : null);
started = cluster;

/** @typedef {Awaited<ReturnType<import("./failing.js").Cluster["report"]>>} Report */
/** @typedef {"all" | "stock"} Parted */
/** @typedef {Report & { name: string, parts: Parted | undefined, backMs: number | null, lost: number, typed: number }} Row */

/**
 * `parts`: others cannot know that these people are still there, and are to see them leave.
 *
 * @type {{ name: string, fail: () => Promise<void>, mend?: () => Promise<void>, lastsMs?: number, after?: () => Promise<void>, parts?: Parted }[]}
 */
const faults = [
  {
    name: "kill -9 of a relay",
    fail: () => cluster.killRelay(0),
    after: () => cluster.startRelay(0),
  },
  {
    name: "kill -9 of Redis, restarted empty",
    fail: () => cluster.redis.stop(),
    mend: () => cluster.restartRedis(),
    lastsMs: AWAY_MS,
  },
  {
    name: "SIGSTOP of Redis",
    fail: async () => void cluster.redis.child.kill("SIGSTOP"),
    mend: async () => void cluster.redis.child.kill("SIGCONT"),
    lastsMs: 10_000,
  },
  // the first relay has no clients any more: they went to the others when it was killed
  {
    name: "a relay cut off from Redis alone",
    fail: async () => cluster.toRedis[1]?.lose(),
    mend: async () => cluster.toRedis[1]?.restore(),
    lastsMs: AWAY_MS / 2,
    parts: "all",
  },
  {
    name: "a relay cut off from its clients alone",
    fail: async () => cluster.toRelays[1]?.lose(),
    mend: async () => cluster.toRelays[1]?.restore(),
    // longer than stock clients take to notice, which is longer than relays wait for them
    lastsMs: 45_000,
    parts: "stock",
  },
  { name: "fail-over to a replica", fail: failOver },
  { name: "rolling restart", fail: rollingRestart },
];

/** The master dies, its replica is made the master, and the address leads there. */
async function failOver() {
  const port = await freePort();
  const replica = await startRedis(port, ["--replicaof", `127.0.0.1 ${cluster.redis.port}`]);
  await until("the replica follows", async () =>
    (await replica.tell("INFO replication")).includes("master_link_status:up"),
  );
  await cluster.redis.stop();
  await pause(1_000);
  await replica.tell("REPLICAOF NO ONE");
  cluster.redis = replica;
  for (const link of cluster.toRedis) link.lead(port);
}

async function rollingRestart() {
  for (const place of [0, 1, 2]) {
    await cluster.stopRelay(place);
    await cluster.startRelay(place);
  }
}

/** @param {typeof faults[number]} fault @returns {Promise<Row>} */
async function run({ name, fail, mend, lastsMs = 0, after, parts }) {
  await until("everyone is here", () => cluster.isWhole(), 120_000);
  await cluster.type(true);
  await pause(2_000);
  await cluster.mark();
  const at = performance.now();
  await fail();
  if (lastsMs > 0) await pause(lastsMs);
  // what fails is noticed a moment later
  else await until("somebody notices", async () => !(await cluster.isWhole()), SETTLE_MS).catch(() => {});
  const mendedAt = performance.now();
  await mend?.();
  let backMs = null;
  try {
    await until("everyone is here again", () => cluster.isWhole(), PATIENCE_MS);
    backMs = Math.round(performance.now() - (mend === undefined ? at : mendedAt));
  } catch {
    console.error(`${name}: not whole: ${JSON.stringify(await cluster.missing())}`);
  }
  await pause(SETTLE_MS);
  await cluster.type(false);
  await pause(2_000);
  const row = { name, parts, backMs, ...(await cluster.report()), ...(await cluster.edits()) };
  await after?.();
  return row;
}

/** @type {Record<Parted, string>} */
const MARKS = { all: "*", stock: "**" };

/** @param {Row} row */
function line({
  name,
  parts,
  reconnecting,
  stale,
  backMs,
  leaves,
  joins,
  unexplained,
  ofStock,
  lost,
  typed,
  opened,
  awayMs,
  heldMs,
}) {
  return [
    parts === undefined ? name : `${name} ${MARKS[parts]}`,
    reconnecting.count === 0 ? "–" : `${reconnecting.lastMs} ms (${reconnecting.count})`,
    stale.count === 0 ? "–" : `${stale.lastMs} ms (${stale.count})`,
    backMs === null ? "NOT" : `${backMs} ms`,
    leaves,
    joins,
    unexplained,
    ofStock,
    `${lost} of ${typed}`,
    opened.length,
    `${awayMs} ms`,
    `${heldMs} ms`,
  ];
}

/** @type {Row[]} */
const rows = [];
/** @type {{ sees: number, seen: number }[]} */
let moves = [];
const isWanted = (/** @type {string} */ name) => values.only?.every((only) => !name.startsWith(only)) !== true;
try {
  for (const fault of faults.filter(({ name }) => isWanted(name))) {
    console.error(`${fault.name} …`);
    const row = await run(fault);
    if (row.who.length > 0) console.error(`  of whom others saw leaves or joins: ${row.who.join(", ")}`);
    rows.push(row);
  }
  if (isWanted("move")) moves = await cluster.move(values.small ? 10 : 50);
} finally {
  await cluster.stop();
}

const heads = [
  "fault",
  "reconnecting within (users)",
  "stale within (rosters)",
  "whole again after",
  "false leaves",
  "false joins",
  "of them of people who were back in time",
  "of them of stock clients",
  "edits lost",
  "connections opened",
  "longest without a connection",
  "the clients' process stood still for",
];
console.log(`\n${SIZE.own} clients of ours, ${SIZE.stock} stock clients, ${SIZE.rooms} rooms, three relays\n`);
for (const cells of [heads, heads.map(() => "---"), ...rows.map(line)]) console.log(`| ${cells.join(" | ")} |`);
if (rows.some(({ parts }) => parts === "all"))
  console.log(
    "\n* others cannot know that the people of this relay are still there, and are to see them leave after the grace",
  );
if (rows.some(({ parts }) => parts === "stock"))
  console.log(
    "\n** stock clients notice a dead connection after 30 s, later than relays do: others are to see them leave",
  );
const restart = rows.find(({ name }) => name === "rolling restart");
if (restart !== undefined)
  console.log(`\nrolling restart: connections opened in each second: ${perSecond(restart.opened).join(" ")}`);
if (moves.length > 0) {
  const within = moves.filter(({ sees, seen }) => Math.max(sees, seen) <= 100).length;
  const most = Math.max(...moves.flatMap(({ sees, seen }) => [sees, seen]));
  console.log(
    `\na stock client that moved to another relay saw all and was seen by all within 100 ms ${within} of ${moves.length} times, at most ${most} ms`,
  );
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ size: SIZE, rows, moves }, null, 2)}\n`);
const isWell = (/** @type {Row} */ { parts, leaves, joins, ofStock, lost, backMs }) =>
  (parts === "all" || leaves + joins === (parts === "stock" ? ofStock : 0)) && lost === 0 && backMs !== null;
process.exitCode = rows.every(isWell) ? 0 : 1;

/** @param {readonly number[]} times ms */
function perSecond(times) {
  const counts = Array.from({ length: Math.floor(Math.max(0, ...times) / 1_000) + 1 }, () => 0);
  for (const ms of times) counts[Math.floor(ms / 1_000)] = (counts[Math.floor(ms / 1_000)] ?? 0) + 1;
  return counts;
}
