/**
 * Runs the tests under another clock and in another time zone: nothing may depend on the hour, the day or the machine's
 * zone.
 *
 *     npm run test:hours                                          all tests, once, while Berlin leaves summer time
 *     npm run test:hours -- --at 2026-01-01T00:30:00Z --zone Asia/Kathmandu
 *     npm run test:hours -- --all test/e2e/looks/picture.test.ts        some tests, at each of the hours and zones below
 *
 * Names of test files, or parts of them, may follow; otherwise all tests run.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

/** Each begins ten seconds before something happens, or at an hour at which something was wrong before. */
const CASES = [
  { at: "2026-10-25T00:59:50Z", zone: "Europe/Berlin" }, // summer time ends: the clock is put back an hour
  { at: "2026-03-29T00:59:50Z", zone: "Europe/Berlin" }, // summer time begins
  { at: "2026-11-28T00:30:00Z", zone: "Etc/UTC" },
  { at: "2026-11-28T01:59:00Z", zone: "Pacific/Kiritimati" }, // 14 hours east
  { at: "2026-11-28T12:00:00Z", zone: "America/St_Johns" }, // 3½ hours west
  { at: "2026-11-28T23:59:50Z", zone: "Asia/Kathmandu" }, // 5¾ hours east
  { at: "2026-12-31T23:59:50Z", zone: "Etc/UTC" }, // midnight, and a new year
  { at: "2028-02-29T11:59:50Z", zone: "Etc/GMT+12" }, // midnight in the far west, after a leap day
];

/**
 * @param {{ readonly at: string, readonly zone: string }} when
 * @param {string[]} files
 * @returns {boolean} all passed
 */
function run({ at, zone }, files) {
  // a difference, not a moment: each process of the tests would begin anew at a moment
  const aheadS = Math.round((Date.parse(at) - Date.now()) / 1000);
  console.log(`\n${at}, ${zone}`);
  const { status } = spawnSync(
    "faketime",
    ["-m", "-f", `${aheadS < 0 ? "" : "+"}${aheadS}s`, "npx", "vitest", "run", ...files],
    {
      stdio: "inherit",
      env: {
        ...process.env,
        TZ: zone,
        // timers and durations go on as they are, and so do the dates of files
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
        // on without this one: Chromium then stands still
        FAKETIME_FORCE_MONOTONIC_FIX: "0",
        NO_FAKE_STAT: "1",
      },
    },
  );
  return status === 0;
}

/** @param {string} zone */
function isZone(zone) {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: zone }));
  } catch {
    return false;
  }
}

/** @param {string} problem */
function refuse(problem) {
  console.error(problem);
  process.exit(2);
}

const { values, positionals } = parseArgs({
  options: {
    at: { type: "string", default: CASES[0]?.at ?? "" },
    zone: { type: "string", default: CASES[0]?.zone ?? "" },
    all: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const { at, zone, all } = values;
if (Number.isNaN(Date.parse(at))) refuse(`--at must be a date like 2026-10-25T00:59:50Z, not "${at}"`);
if (!isZone(zone)) refuse(`--zone must be a time zone like Europe/Berlin, not "${zone}"`);
if (spawnSync("faketime", ["--version"]).status !== 0) {
  refuse("faketime is missing. On Debian, as root: apt-get install faketime. On a Mac: brew install libfaketime.");
}
const failed = (all ? CASES : [{ at, zone }]).filter((when) => !run(when, positionals));
for (const when of failed) console.error(`failed at ${when.at} in ${when.zone}`);
process.exit(failed.length === 0 ? 0 : 1);
