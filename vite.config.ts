import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A thousand clients and their relay are a core each: `npm run test:long`, after all else. */
const CROWD = "test/faults/clients/crowd.test.ts";
/** Starts the browsers that files share. */
const E2E_SETUP = "test/e2e/browser/setup.ts";
/** These wait for real time to pass, or kill real processes again and again: `npm run test:long`. */
const LONG = [
  "test/relay/cluster/faults.test.ts",
  "test/fuzz/bus.test.ts",
  "test/relay/cluster/parts/large.test.ts",
  "test/hocuspocus/instances.test.ts",
  "test/faults/clients/silent.test.ts",
  "test/faults/relays/cluster.test.ts",
  "test/faults/stores/{hanging,kills}.test.ts",
  "test/faults/relays/webhooks.test.ts",
  "test/faults/relays/shared-webhooks.test.ts",
  "test/ops/balancers.test.ts",
  "test/relay/cluster/bus/redis-{secured,sentinel,nodes}.test.ts",
  "test/relay/store/failing.test.ts",
  "test/verify/patient.test.ts",
  "test/verify/peers.test.ts",
  "test/e2e/looks/picture.test.ts",
];

/** These run with each `npm test`, and with `npm run test:long` on other hosts, or with more seeds, colours or attempts. */
const BOTH = [
  ...["people", "members", "actions", "documents", "events"].map((name) => `test/relay/api/${name}.test.ts`),
  "test/simulation/simulation.test.ts",
  "test/simulation/cluster/cluster.test.ts",
  "test/fuzz/*.test.ts",
  "test/lobby/shard.test.ts",
  "test/faults/stores/{postgres,store}.test.ts",
  "test/{examples,package}.test.ts",
  "test/e2e/**/{accessible,examples,inspector,reactions,refused}.test.ts",
];
/** These say how much of a long test is tried (test/thorough.ts), and on what it runs (test/relay/api/hosts.ts). */
const WHOLE = { THOROUGH: "true", ALL_HOSTS: "true" };

/** These change what all code has, such as its clock or its Yjs, or count what their process has: each has a process of its own. */
const APART = [
  "test/simulation/**/*.test.ts",
  "test/{interop,lobby}/yjs-14.test.ts",
  "test/relay/access/access.test.ts",
  "test/relay/documents/hostile.test.ts",
  "test/react/**/*.test.tsx",
];
/** More than there are cores: many tests wait most of the time. */
const UNIT_WORKERS = 3;

/** These take longest. What begins last shall not keep one core waiting for the other. */
const LONGEST = [
  "test/cli.test.ts",
  "test/faults/clients/faults.test.ts",
  "test/relay/webhooks/webhooks.test.ts",
  "test/package.test.ts",
  "test/simulation/simulation.test.ts",
  "test/relay/store/postgres.test.ts",
  "test/relay/transport/link.test.ts",
  "test/client/link/token.test.ts",
  "test/simulation/cluster/cluster.test.ts",
  "test/relay/flow/costs.test.ts",
  "test/essay.test.ts",
  "test/relay/cluster/bus/redis-bus.test.ts",
  "test/examples.test.ts",
  "test/verify/verify.test.ts",
  "test/e2e/presence/people.test.ts",
  "test/e2e/presence/leaving.test.ts",
  "test/e2e/looks/accessible.test.ts",
  "test/e2e/access/token.test.ts",
  "test/e2e/looks/settings.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.indexOf(relative(here("."), moduleId));
      return found < 0 ? LONGEST.length : found;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- this sorts no array in place
    const sorted = await super.sort(files);
    // a worker goes on with the next file of the same project
    const projects = new Set(sorted.map(({ project }) => project));
    return [...projects].flatMap((each) =>
      sorted.filter(({ project }) => project === each).toSorted((a, b) => rank(a) - rank(b)),
    );
  }
}

export default defineConfig({
  root: here("demo"),
  plugins: [react()],
  resolve: {
    // the demo imports the package by name, and gets its sources: nothing needs building first
    alias: [
      { find: /^copresence$/, replacement: here("src/client/index.ts") },
      {
        find: /^copresence\/(react|relay|hub|lobby|editors|hocuspocus|hocuspocus\/client|server|explain|test)$/,
        replacement: here("src/$1/index.ts"),
      },
    ],
  },
  server: { port: 5173, strictPort: true },
  build: { outDir: here("dist-demo"), emptyOutDir: true },
  test: {
    root: here("."),
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // real sockets, processes and browsers on a machine that others may use: what fails once is tried once more, and the report says so
    retry: 1,
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: ["test/e2e/**", "test/soak/**", "test/installed/**", CROWD, ...APART, ...LONG],
          // to load the sources anew for each file takes longer than most tests do
          isolate: false,
          setupFiles: "test/setup.ts",
          maxWorkers: UNIT_WORKERS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "apart", include: APART, maxWorkers: UNIT_WORKERS, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: { name: "long", include: [...LONG, ...BOTH], env: WHOLE, globalSetup: E2E_SETUP },
      },
      {
        extends: true,
        test: { name: "crowd", include: [CROWD], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      {
        // after the rest: a real browser wants much of a core
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.{ts,tsx}"],
          exclude: LONG,
          globalSetup: E2E_SETUP,
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
