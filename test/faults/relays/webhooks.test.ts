/** A relay that is killed while it sends webhooks; `node scripts/webhooks/prove.js` does the same with 10,000 people. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const script = fileURLToPath(new URL("../../../scripts/webhooks/prove.js", import.meta.url));

interface Report {
  readonly webhooks: number;
  readonly refused: number;
  readonly unverified: number;
  readonly problems: readonly string[];
}

it(
  "[HOOK-4] [HOOK-6] [HOOK-7] online and offline alternate for each of 150 people, and none is missing, though the relay is killed three times and the receiver refuses half and is dead for a while",
  { timeout: 240_000 },
  async ({ annotate }) => {
    const args = [script, "--users", "150", "--seconds", "12", "--json"];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    await annotate(stdout);
    const report = JSON.parse(stdout) as Report;
    expect(report.problems).toEqual([]);
    expect(report.unverified).toBe(0);
    expect(report.webhooks).toBeGreaterThan(250);
    expect(report.refused).toBeGreaterThan(100);
  },
);
