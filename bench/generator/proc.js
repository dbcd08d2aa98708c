// @ts-check
/** What the kernel says of a process. Linux. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** @param {number} pid */
export function cpuSeconds(pid) {
  // the second field is the program's name, in parentheses, and may hold anything
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [userTicks, systemTicks] = [Number(fields[11]), Number(fields[12])];
  return (userTicks + systemTicks) / TICKS_PER_SECOND;
}

/** @param {number} pid */
export function residentBytes(pid) {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(match?.[1] ?? Number.NaN) * 1024;
}

/** Of all cores together, for anybody: what is not the server's or the generator's was somebody else's. */
export function busySeconds() {
  const [total = ""] = readFileSync("/proc/stat", "latin1").split("\n", 1);
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = total.split(/\s+/).map(Number);
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
}
