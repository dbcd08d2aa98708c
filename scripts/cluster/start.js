/**
 * `npm run cluster`: three relays, Redis and a balancer on this machine, and the demo on them. Ctrl+C stops all of it, and nothing is
 * left behind: nothing is stored anywhere.
 *
 * COPRESENCE_BALANCER=nginx takes nginx in place of HAProxy. COPRESENCE_PORT is the balancer's port (1234); the relays take
 * the next three, and Redis the one after them. COPRESENCE_PAGE_PORT is the page's (5173).
 */
import { randomBytes } from "node:crypto";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { sessionServer } from "../../demo/session.js";
import { startBalancer } from "./balancer.js";
import { isReady, startRedis, startRelay, until } from "./processes.js";
import { BALANCERS, findBalancer } from "../ensure.js";

const port = Number(process.env.COPRESENCE_PORT ?? 1234);
const pagePort = Number(process.env.COPRESENCE_PAGE_PORT ?? 5173);
/** @type {(() => Promise<void>)[]} What has to be stopped, the newest last. */
const stopping = [];
let isStopping = false;

/** @param {number} code @returns {Promise<never>} */
async function stop(code) {
  if (isStopping) process.exit(code);
  isStopping = true;
  for (const end of stopping.splice(0).toReversed()) await end().catch(console.error);
  process.exit(code);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void stop(0));

async function main() {
  const balancer = BALANCERS.find(
    (name) => name === (process.env.COPRESENCE_BALANCER ?? name) && findBalancer(name) !== null,
  );
  if (balancer === undefined)
    throw new Error("there is neither HAProxy nor nginx: node scripts/ensure.js haproxy nginx");
  const [first, second, third, redisPort] = [port + 1, port + 2, port + 3, port + 4];
  const relays = [first, second, third];

  const folder = mkdtempSync(join(tmpdir(), "copresence-cluster-"));
  stopping.push(async () => rmSync(folder, { recursive: true, force: true }));
  const secret = randomBytes(48).toString("base64url");
  const apiKey = randomBytes(24).toString("hex");
  // flags can be listed by any user of the machine
  const [secretFile, keyFile] = [join(folder, "jwt-secret"), join(folder, "api-key")];
  writeFileSync(secretFile, secret, { mode: 0o600 });
  writeFileSync(keyFile, apiKey, { mode: 0o600 });

  /** @param {{ stop: () => Promise<void> }} running */
  const keep = (running) => void stopping.push(running.stop);
  keep(await startRedis(redisPort));
  const flags = ["--bus", `redis://127.0.0.1:${redisPort}`, "--trust-proxy", "--jwt-secret-file", secretFile];
  for (const each of relays) keep(await startRelay(each, [...flags, "--api-key-file", keyFile]));
  await until("the relays are ready", async () =>
    (await Promise.all(relays.map((each) => isReady(each)))).every(Boolean),
  );
  keep(await startBalancer(balancer, port, relays));

  const session = sessionServer({ secret, relay: () => `ws://localhost:${port}` });
  const vite = await createServer({
    configFile: fileURLToPath(new URL("../../vite.config.ts", import.meta.url)),
    logLevel: "warn",
    server: { port: pagePort, strictPort: true },
    plugins: [{ name: "session", configureServer: ({ middlewares }) => void middlewares.use(session) }],
  });
  stopping.push(() => vite.close());
  await vite.listen();

  console.log(`
  Three relays are one world.

  page       http://localhost:${pagePort}    open it in two windows, as two people
  balancer   ws://localhost:${port}       ${balancer}, with the configuration of ops/${balancer}
  relays     ${relays.map((each) => `http://localhost:${each}/metrics`).join("\n             ")}
  Redis      redis://localhost:${redisPort}

  Send the people of a relay to the others:
      node dist/cli.js drain --api-key-file ${keyFile} http://localhost:${first}
  See who is on which:
      curl -s localhost:${first}/metrics | grep -e ^copresence_connections -e ^copresence_bus

  Ctrl+C stops all of it.
`);
}

try {
  await main();
} catch (error) {
  // what was stopped while it started is no failure
  if (!isStopping) {
    const message = error instanceof Error ? error.message : String(error);
    const isTaken = /in use|EADDRINUSE/i.test(message);
    console.error(
      `\n  ${message}\n${isTaken ? "\n  Choose other ports: COPRESENCE_PORT=4000 COPRESENCE_PAGE_PORT=4100 npm run cluster\n" : ""}`,
    );
    await stop(1);
  }
}
