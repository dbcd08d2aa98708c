/**
 * Breaks rules on purpose, one at a time, and runs the simulation against each: a simulation that notices nothing proves
 * nothing. Prints, for each, the first seed that fails: `npm run mutations`, or with words of their names as arguments.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {{ name: string, file: string, from: string, to: string }} Mutation */

/** @type {readonly Mutation[]} */
const MUTATIONS = [
  {
    name: "every loss is a leave",
    file: "src/relay/core/hub.ts",
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
    from: "new Grace(settings.leaveGrace,",
    to: "new Grace(settings.leaveGrace + 10_000,",
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
    from: 'if (this.#options.sync !== "none") this.#socket.send(syncStep1Frame',
    to: 'if (this.#options.sync !== "none" && !this.inbound.holds) this.#socket.send(syncStep1Frame',
  },
  {
    name: "departed ids are kept",
    file: "src/awareness/entries.ts",
    from: "if (departed.at > now - DEPARTED_MS) break;",
    to: "if (departed.at <= now) break;",
  },
  {
    name: "empty rooms are kept",
    file: "src/relay/core/hub.ts",
    from: "if (!room.empty || isLobby(room.name)) return;",
    to: "if (room.name !== '') return;",
  },
  {
    name: "whoever is missing after a reconnect is given up at once",
    file: "src/client/provider/hold.ts",
    from: "}, ms);",
    to: "}, 0);",
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
    file: "src/client/link/socket.ts",
    from: "    clearTimeout(this.#state.timer);\n",
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
    from: "this.#meta = nextMeta(this.#meta, meta,",
    to: "this.#meta ??= nextMeta(this.#meta, meta,",
  },
  {
    name: "a back-off lasts a minute",
    file: "src/client/link/socket.ts",
    from: "Math.random() * ceiling",
    to: "60_000 + Math.random() * ceiling",
  },
  {
    name: "invisible users are sent",
    file: "src/lobby/directory.ts",
    from: 'const invisible = this.#sessions.choiceOf(userId)?.status === "invisible";',
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
    file: "src/client/provider/outbound.ts",
    from: "this.#outlet.renew(KEEP_ALIVE_FRAME);",
    to: "void KEEP_ALIVE_FRAME;",
  },
  {
    name: "no renewals for stock clients",
    file: "src/relay/core/observers.ts",
    from: "if (this.#stockMembers === 0) return;",
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
    from: "for (const shardId of this.#vouched) {",
    to: "for (const shardId of this.#shards.keys()) {",
  },
];

const SEEDS = 400;
const root = fileURLToPath(new URL("..", import.meta.url));
const copy = join(root, "node_modules/.cache/mutations");

rmSync(copy, { recursive: true, force: true });
mkdirSync(copy, { recursive: true });
for (const path of ["src", "test", "package.json", "tsconfig.json", "vite.config.ts"]) {
  cpSync(join(root, path), join(copy, path), { recursive: true });
}
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));

const wanted = process.argv.slice(2).join(" ");
let missed = 0;
for (const { name, file, from, to } of MUTATIONS.filter((each) => each.name.includes(wanted))) {
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
    ["vitest", "run", "--project", "unit", "--bail", "1", "--retry", "0", "test/simulation/simulation.test.ts"],
    { cwd: copy, env: { ...process.env, SIM_SEED: "1", SIM_SEEDS: `${SEEDS}`, NO_COLOR: "1" }, encoding: "utf8" },
  );
  writeFileSync(path, source);
  const said = `${stdout}\n${stderr}`;
  const caught = /seed (\d+): (.*)/.exec(said) ?? /(?:seeds (\d+) to \d+).*\n?(.*(?:Error|timed out).*)/.exec(said);
  if (caught === null && /Tests .*failed/.test(said)) console.log(`${name}: failed, no seed named`);
  else if (caught === null) {
    console.log(`${name}: NOT CAUGHT in ${SEEDS} seeds`);
    missed++;
  } else console.log(`${name}: seed ${caught[1]}: ${caught[2]}`);
}
rmSync(copy, { recursive: true, force: true });
process.exitCode = missed === 0 ? 0 : 1;
