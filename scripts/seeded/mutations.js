/**
 * Breaks rules on purpose, one at a time, and runs the simulation against each: a simulation that notices nothing proves
 * nothing. Prints, for each, the first seed that fails: `npm run mutations`, or with words of their names as arguments. `--seed 401`
 * begins there, and `--seeds 100` tries so many of each.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** @typedef {{ name: string, file: string, from: string, to: string, isCluster?: true }} Mutation */

/** @type {readonly Mutation[]} */
const MUTATIONS = [
  {
    name: "every loss is a leave",
    file: "src/relay/core/grace/leave.ts",
    from: "if (code === Close.normal) return true;",
    to: "if (code > 0) return true;",
  },
  {
    name: "a dead connection is given up 20 s late",
    file: "src/relay/transport/liveness.ts",
    from: "next > pingedAt + pingTimeout",
    to: "next > pingedAt + pingTimeout + 20_000",
  },
  {
    name: "the grace is 13 s",
    file: "src/relay/core/hub.ts",
    from: "lostMs: settings.leaveGrace,",
    to: "lostMs: settings.leaveGrace + 10_000,",
  },
  {
    name: "last seen is when the loss was noticed",
    file: "src/relay/core/lobby/lobby.ts",
    from: "withdraw(entry, wallTimeOf(entry.lastSeen, clock), clock.wall())",
    to: "withdraw(entry, clock.wall(), clock.wall())",
  },
  {
    name: "no take-over",
    file: "src/awareness/register.ts",
    from: "if (entry.owner === null || isStockSession(entry.claim)) return;",
    to: "if (now > 0) return;",
  },
  {
    name: "removals are not sent",
    file: "src/relay/core/observers.ts",
    from: "    this.#cursors.left(entry.id);\n    this.#updates.removed(entry);",
    to: "    this.#cursors.left(entry.id);",
  },
  {
    name: "document updates skip our clients",
    file: "src/relay/core/readers.ts",
    from: "if (member !== author && ",
    to: 'if (member.kind !== "native" && member !== author && ',
  },
  {
    name: "no sync step 1 after a reconnect",
    file: "src/client/provider/provider.ts",
    from: 'if (this.#options.sync !== "none") this.#channel.send(syncStep1Frame',
    to: 'if (this.#options.sync !== "none" && !this.inbound.holds) this.#channel.send(syncStep1Frame',
  },
  {
    name: "departed ids are kept",
    file: "src/awareness/entries.ts",
    from: "if (departed.at > now - DEPARTED_MS) break;",
    to: "if (departed.at <= now) break;",
  },
  {
    name: "empty rooms are kept",
    file: "src/relay/core/registry.ts",
    from: "if (!room.empty || isLobby(room.name)) return;",
    to: "if (room.name !== '') return;",
  },
  {
    name: "those who are missing after a reconnect are given up at once",
    file: "src/client/provider/provider.ts",
    from: "this.#graceMs + this.#options.timing.maxBackoffMs,",
    to: "0,",
  },
  {
    name: "one who was away is told as a join again",
    file: "src/presence/roster.ts",
    from: "const before = isPresent(previous);",
    to: 'const before = isPresent(previous) && previous.status !== "away";',
  },
  {
    name: "one session less is a leave",
    file: "src/presence/people.ts",
    from: "    person.claims.delete(key);\n",
    to: "    person.claims.clear();\n",
  },
  {
    name: "the oldest choice wins",
    file: "src/presence/user.ts",
    from: "if (a.at !== b.at) return a.at > b.at ? a : b;",
    to: "if (a.at !== b.at) return a.at < b.at ? a : b;",
  },
  {
    name: "a silent page is never away",
    file: "src/relay/transport/link.ts",
    from: "const SILENT_MS = 75_000;",
    to: "const SILENT_MS = 75_000_000;",
  },
  {
    name: "the timer of a back-off is left behind",
    file: "src/client/link/reconnecting.ts",
    from: "    clearTimeout(this.timer);\n",
    to: "",
  },
  {
    name: "no empty awareness update for quiet stock clients",
    file: "src/relay/transport/link.ts",
    from: "now - this.#sentAt >= KEEP_ALIVE_MS",
    to: "now - this.#sentAt >= 100 * KEEP_ALIVE_MS",
  },
  {
    name: "stock owners are not told of clocks above their own",
    file: "src/relay/core/observers.ts",
    from: "whole === null ? NO_NUDGES : nudges(updates)",
    to: "whole === null || whole !== null ? NO_NUDGES : nudges(updates)",
  },
  {
    name: "marks are never cleared",
    file: "src/relay/core/observers.ts",
    from: "if (entry.mark === mark) return;",
    to: 'if (entry.mark === mark || mark === "clear") return;',
  },
  {
    name: "the first metadata is kept",
    file: "src/client/room.ts",
    from: "    meta = nextMeta(meta, change,",
    to: "    meta ??= nextMeta(meta, change,",
  },
  {
    name: "a back-off lasts a minute",
    file: "src/client/link/reconnecting.ts",
    from: "Math.random() * ceiling",
    to: "60_000 + Math.random() * ceiling",
  },
  {
    name: "invisible users are sent",
    file: "src/lobby/directory.ts",
    from: 'const invisible = this.#withheld.has(userId) || this.#sessions.choiceOf(userId)?.status === "invisible";',
    to: "const invisible = userId === '';",
  },
  {
    name: "clocks are not raised for those who remember them",
    file: "src/awareness/audience/updates.ts",
    from: "publication.clock = Math.max(entry.clock, publication.clock + 1);",
    to: "publication.clock = Math.max(entry.clock, publication.clock);",
  },
  {
    name: "our clients say nothing to show that their page lives",
    file: "src/client/link/link.ts",
    from: "    this.#keptAliveAt = now;\n    this.#expectAnswer();",
    to: "    this.#keptAliveAt = now;",
  },
  {
    name: "no renewals for stock clients",
    file: "src/relay/core/observers.ts",
    from: "if (this.#stockMembers === 0 && this.outlet === null) return;",
    to: "if (this.#stockMembers >= 0) return;",
  },
  {
    name: "echoes of those who left are taken",
    file: "src/awareness/ownership.ts",
    from: "return clock > Math.max(entry.clock, entry.publication?.clock ?? -1);",
    to: "return clock >= entry.clock;",
  },
  {
    name: "a duplicated tab keeps its session id",
    file: "src/client/presence.ts",
    from: 'if (control.kind === "superseded" && control.session === session.id) session.renew();',
    to: "",
  },
  {
    name: "any connection removes any id",
    file: "src/awareness/ownership.ts",
    from: "if (isGone) return isPresent(entry) && entry.owner === author && clock >= entry.clock;",
    to: "if (isGone) return isPresent(entry) && clock >= entry.clock;",
  },
  {
    name: "a shard that nobody vouches for counts",
    file: "src/lobby/union.ts",
    from: "for (const [shardId, isLost] of this.#vouched) {",
    to: "for (const [shardId, isLost] of [...this.#shards.keys()].map((each) => [each, false] as const)) {",
  },
  // of several relays
  {
    name: "a change of the session is made in the lobby alone [LINK-13]",
    file: "src/relay/wiring/room-channels.ts",
    from: "Array.from(this.#rooms.values())",
    to: "Array.from(this.#rooms.values()).slice(0, 1)",
  },
  {
    name: "cluster: a gap is not noticed [BUS-3]",
    file: "src/relay/cluster/topic/sequence.ts",
    from: "if (next > this.#expected) {",
    to: "if (next > this.#expected && next < 0) {",
    isCluster: true,
  },
  {
    name: "cluster: the last number is not said again [BUS-4]",
    file: "src/relay/cluster/topic/sequence.ts",
    from: "    this.#hasTail = true;\n    this.#saidAt = now;\n    return true;",
    to: "    return now < 0;",
    isCluster: true,
  },
  {
    name: "cluster: each relay gives out clocks of its own [BUS-6]",
    file: "src/awareness/audience/updates.ts",
    from: "if (entry.remote !== null) publication.clock = Math.max(publication.clock, entry.remote.clock);",
    to: "if (entry.remote !== null) publication.clock = Math.max(publication.clock, entry.clock);",
    isCluster: true,
  },
  {
    name: "cluster: nobody has new clocks for a stock client that comes from another relay [BUS-7]",
    file: "src/relay/core/observers.ts",
    from: "if (this.outlet === null || !hasRemote) return false;",
    to: "if (this.outlet === null || hasRemote) return false;",
    isCluster: true,
  },
  {
    name: "cluster: the earlier connection of a session counts [BUS-9]",
    file: "src/awareness/remote.ts",
    from: "if (heldAt !== other.heldAt) return heldAt < other.heldAt;",
    to: "if (heldAt !== other.heldAt) return heldAt > other.heldAt;",
    isCluster: true,
  },
  {
    name: "cluster: others do not hear whose an id is now [BUS-9]",
    file: "src/awareness/register.ts",
    from: "if (isRemote && published.changed.size === 0)",
    to: "if (isRemote && published.changed.size > 1_000)",
    isCluster: true,
  },
  {
    name: "cluster: the updates of a lost relay are not stored [BUS-13]",
    file: "src/relay/cluster/shared-room.ts",
    from: "filter(({ at }) => at >= since)",
    to: "filter(({ at }) => at > Infinity + since)",
    isCluster: true,
  },
  {
    name: "cluster: choices are not told [BUS-15]",
    file: "src/relay/cluster/shared-lobby.ts",
    from: 'this.#topic.send("choice", encodeJson([userId, choice]));',
    to: "void encodeJson([userId, choice]);",
    isCluster: true,
  },
  {
    name: "cluster: the people of a lost relay leave at once [BUS-16]",
    file: "src/relay/cluster/shared-room.ts",
    from: "this.#part(relay, 1006);\n",
    to: "this.#part(relay, 1000);\n",
    isCluster: true,
  },
  {
    name: "cluster: the shard of a lost relay is kept [BUS-18]",
    file: "src/relay/cluster/cluster.ts",
    from: "if (!shared.has(relay)) shared.drop(relay);",
    to: "if (shared.has(relay)) shared.drop(relay);",
    isCluster: true,
  },
  {
    name: "cluster: a relay that is cut off judges the others [BUS-19]",
    file: "src/relay/cluster/beats.ts",
    from: "if (!this.#isUp || now - this.#echoAt > BEAT_MS * 1.5) return;",
    to: "if (now < 0) return;",
    isCluster: true,
  },
  {
    name: "cluster: nothing is asked for when the bus is back [BUS-21]",
    file: "src/relay/cluster/cluster.ts",
    from: "if (isUp) return this.#heal();",
    to: "if (isUp) return;",
    isCluster: true,
  },
  {
    name: "cluster: a shard does not name those who have just gone to another relay [BUS-27]",
    file: "src/relay/core/grace/handed-over.ts",
    from: "const HANDED_OVER_MS = 2_000;",
    to: "const HANDED_OVER_MS = 0;",
    isCluster: true,
  },
  {
    name: "cluster: each relay dates by its own clock [BUS-28]",
    file: "src/relay/ports/clock.ts",
    from: "followedMs = Math.max(followedMs, date - clock.now());",
    to: "followedMs = Math.min(followedMs, date);",
    isCluster: true,
  },
  {
    name: "cluster: a relay that has nobody in a room does not say so [BUS-29]",
    file: "src/relay/cluster/cluster.ts",
    from: 'else if (message.kind === "ask") this.tell',
    to: 'else if (message.kind === "beat") this.tell',
    isCluster: true,
  },
  {
    name: "cluster: a room asks once [BUS-30]",
    file: "src/relay/cluster/topic/shared-topic.ts",
    from: "const ASK_AGAIN_MS = [1_000, 4_000, 15_000, 60_000];",
    to: "const ASK_AGAIN_MS = [1e9];",
    isCluster: true,
  },
  {
    name: "cluster: who may be the author of a state is told of it above the author's clock [LIVE-10]",
    file: "src/awareness/audience/updates.ts",
    from: "return { ...update, clock: Math.min(update.clock, entry.clock) };",
    to: "return update;",
    isCluster: true,
  },
  {
    name: "cluster: a user who speaks through another relay now is said at once to have left [BUS-36]",
    file: "src/relay/cluster/room/lingering.ts",
    from: "if (moved.length === 0) return updates;",
    to: "if (moved.length >= 0) return updates;",
    isCluster: true,
  },
  {
    name: "cluster: a room is closed before the store has its document [BUS-37]",
    file: "src/relay/cluster/room/lingering.ts",
    from: "if (!this.#host.isStored()) this.#hold();",
    to: "if (!this.#host.isStored()) return;",
    isCluster: true,
  },
  {
    name: "cluster: the numbers of a room begin anew [BUS-38]",
    file: "src/relay/cluster/topic/sequence.ts",
    from: "return new Outgoing(this.#highest + 1);",
    to: "return new Outgoing();",
    isCluster: true,
  },
  {
    name: "cluster: a user of whom nothing is known is shown before others were asked [BUS-40]",
    file: "src/relay/cluster/inquiries/strangers.ts",
    from: "if (this.#isClosed || this.#host.isAlone) return false;",
    to: "if (userId !== null) return false;",
    isCluster: true,
  },
  {
    name: "cluster: what is said of a room overtakes a message that goes in parts [BUS-41]",
    file: "src/relay/cluster/parts/post.ts",
    from: "if (queue === undefined && !isLong && this.#hasRoomFor(bytes.length))",
    to: "if (!isLong)",
    isCluster: true,
  },
  {
    name: "cluster: a part that is missing is not missed [BUS-41]",
    file: "src/relay/cluster/parts/assembler.ts",
    from: "|| partial.parts.length !== index)",
    to: ")",
    isCluster: true,
  },
  {
    name: "cluster: whom a relay does not name that hears no other relays is given up [ROSTER-10]",
    file: "src/client/provider/provider.ts",
    from: "if (isPartial || !this.inbound.holds) return;",
    to: "if (!this.inbound.holds) return;",
    isCluster: true,
  },
];

const { values, positionals } = parseArgs({
  options: { seed: { type: "string", default: "1" }, seeds: { type: "string", default: "400" } },
  allowPositionals: true,
});
const ONE_RELAY = "test/simulation/simulation.test.ts";
const SEVERAL_RELAYS = "test/simulation/cluster/cluster.test.ts";
const root = fileURLToPath(new URL("../..", import.meta.url));
// a copy of its own, so that several may run side by side
const copy = join(root, `node_modules/.cache/mutations-${process.pid}`);

rmSync(copy, { recursive: true, force: true });
mkdirSync(copy, { recursive: true });
for (const path of ["src", "test", "package.json", "tsconfig.json", "vite.config.ts"]) {
  cpSync(join(root, path), join(copy, path), { recursive: true });
}
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));

const wanted = positionals.join(" ");
let missed = 0;
for (const { name, file, from, to, isCluster = false } of MUTATIONS.filter((each) => each.name.includes(wanted))) {
  const path = join(copy, file);
  const source = readFileSync(path, "utf8");
  const mutated = source.replaceAll(from, () => to);
  if (mutated === source) {
    console.log(`${name}: ${file} has no such line any more`);
    missed++;
    continue;
  }
  writeFileSync(path, mutated);
  const { stdout, stderr } = spawnSync(
    "npx",
    ["vitest", "run", "--project", "apart", "--bail", "1", "--retry", "0", isCluster ? SEVERAL_RELAYS : ONE_RELAY],
    {
      cwd: copy,
      env: { ...process.env, SIM_SEED: values.seed, SIM_SEEDS: values.seeds, SIM_FIRST: "1", NO_COLOR: "1" },
      encoding: "utf8",
    },
  );
  writeFileSync(path, source);
  const said = `${stdout}\n${stderr}`;
  const caught = /seed (\d+): (.*)/.exec(said) ?? /(?:seeds (\d+) to \d+).*\n?(.*(?:Error|timed out).*)/.exec(said);
  if (caught === null && /Tests .*failed/.test(said)) console.log(`${name}: failed, no seed named`);
  else if (caught === null) {
    console.log(`${name}: NOT CAUGHT in ${values.seeds} seeds from ${values.seed} on`);
    missed++;
  } else console.log(`${name}: seed ${caught[1]}: ${caught[2]}`);
}
rmSync(copy, { recursive: true, force: true });
process.exitCode = missed === 0 ? 0 : 1;
