// @ts-check
/** Which core a process runs on: servers on one, the generator on another, so that neither takes time from the other. */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

export const SERVER_CORE = 0;
export const GENERATOR_CORE = 1;
export const BOTH_CORES = `${SERVER_CORE},${GENERATOR_CORE}`;

const hasTaskset = spawnSync("taskset", ["--version"]).status === 0;

/** Why processes are not pinned, if they are not. */
export const unpinnedBecause = !hasTaskset
  ? "there is no taskset here"
  : availableParallelism() < 2
    ? "there is just one core"
    : null;

/**
 * The command that runs another on a core, or on some, with as many open files as the system allows. The process keeps its id.
 *
 * @param {number | string} core
 * @param {readonly string[]} command
 */
export function pinned(core, command) {
  const pin = unpinnedBecause === null ? ["taskset", "-c", String(core)] : [];
  return ["sh", "-c", 'ulimit -n "$(ulimit -Hn)"; exec "$@"', "sh", ...pin, ...command];
}
