// Tries what is in ops/, the Dockerfile and compose.yaml, as far as this machine can:
//
//   npm run ops                    all of it, some minutes
//   npm run ops -- prometheus      one of: prometheus, compose, kubernetes, systemd, dockerfile
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkCompose, checkKubernetes, checkUnit, tryDockerfile } from "./files.js";
import { ensure } from "./programs.js";
import { checkPage, checkQueries, checkRules, startPrometheus, startRelay, startVisitors } from "./prometheus.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ops = join(root, "ops");
const folder = mkdtempSync(join(tmpdir(), "copresence-ops-"));

async function prometheus() {
  if (!ensure("prometheus", "prometheus")) return "not tried: there is no prometheus (apt-get install prometheus)";
  await checkRules(ops);
  const relay = await startRelay(root, folder);
  const visitors = await startVisitors(relay.port, root);
  const server = await startPrometheus(ops, folder, relay.port);
  try {
    const { queries, metrics } = await checkQueries(server.url, ops);
    await checkPage(relay.port);
    return `the rules pass their tests, ${queries} queries of the dashboard have answers, ${metrics} metrics of rules are there`;
  } finally {
    await server.stop();
    visitors.stop();
    await relay.stop();
  }
}

async function compose() {
  if (!ensure("docker-compose", "docker-compose")) return "not tried: there is no docker-compose";
  await checkCompose(root);
  return "docker-compose config reads it; nothing was started";
}

async function kubernetes() {
  const count = await checkKubernetes(root, folder);
  return `${count} objects fit the schemas of their kinds; nothing was started`;
}

async function systemd() {
  if (!ensure("systemd-analyze", "systemd")) return "not tried: there is no systemd-analyze";
  return `systemd-analyze verify finds nothing; its score of exposure is ${await checkUnit(root, folder)}`;
}

async function dockerfile() {
  await tryDockerfile(root, folder);
  return "its steps work one after the other, and the command that they install starts, is healthy and stops; no image was made";
}

const CHECKS = { prometheus, compose, kubernetes, systemd, dockerfile };
const chosen = process.argv.slice(2);
let failures = 0;
for (const [name, check] of Object.entries(CHECKS)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  try {
    console.log(`${name}: ${await check()}`);
  } catch (error) {
    failures++;
    console.log(`${name}: FAILED\n${error instanceof Error ? error.message : String(error)}`);
  }
}
rmSync(folder, { recursive: true, force: true });
process.exit(failures === 0 ? 0 : 1);
