// The alert rules and the dashboard in Debian's Prometheus, which scrapes a relay that does all that is measured.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { call, freePort, start, until } from "./programs.js";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** @param {string} ops the folder ops/ */
export async function checkRules(ops) {
  const folder = join(ops, "prometheus");
  await call("promtool", ["check", "rules", "--lint-fatal", join(folder, "alerts.yml")]);
  await call("promtool", ["test", "rules", "alerts.test.yml"], { cwd: folder });
}

/**
 * A relay with a store, and a receiver of webhooks that takes half, and somebody who writes: so that no metric stays away.
 *
 * @param {string} root
 * @param {string} folder for what is written
 */
export async function startRelay(root, folder) {
  let asked = 0;
  const receiver = createServer((_, response) => void response.writeHead(asked++ % 2 === 0 ? 500 : 204).end());
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = receiver.address();
  const hook = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`;
  const port = await freePort();
  const args = ["--host=127.0.0.1", `--port=${port}`, `--store=file:${join(folder, "data")}`, `--webhook=${hook}`];
  const relay = start(process.execPath, [join(root, "dist/cli.js"), ...args], { COPRESENCE_WEBHOOK_SECRET: SECRET });
  await until("the relay listens", () => relay.said().includes("listening"));
  return {
    port,
    stop: async () => {
      await relay.stop();
      receiver.closeAllConnections();
      receiver.close();
    },
  };
}

/** Two people who come, write and move, one of them again and again. @param {number} port @param {string} root */
export async function startVisitors(port, root) {
  const { createPresence } = await import(join(root, "dist/client/index.js"));
  const { WebSocket } = await import("ws");
  const url = `ws://127.0.0.1:${port}`;
  const alice = createPresence(url, { user: { id: "alice" }, WebSocket });
  const room = alice.join("doc");
  let moves = 0;
  const timer = setInterval(() => {
    moves++;
    room.awareness.setLocalStateField("cursor", moves);
    room.doc.getText("text").insert(0, "a");
    if (moves % 10 !== 0) return;
    const bob = createPresence(url, { user: { id: "bob" }, WebSocket });
    setTimeout(() => bob.destroy(), 500);
    // somebody whom the relay does not let in: rooms with such names are its own
    new WebSocket(`${url}/@nothing`).on("error", () => {});
  }, 100);
  return {
    stop: () => {
      clearInterval(timer);
      alice.destroy();
    },
  };
}

/** @param {number} port */
export async function checkPage(port) {
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await call("promtool", ["check", "metrics"], { input: page });
}

/**
 * A Prometheus with the rules and the example of a job, which asks a relay each second.
 *
 * @param {string} ops
 * @param {string} folder
 * @param {number} relayPort
 */
export async function startPrometheus(ops, folder, relayPort) {
  const job = readFileSync(join(ops, "prometheus/scrape.yml"), "utf8")
    .replace(/scrape_interval: \S+/, "scrape_interval: 1s")
    .replace(/targets: .*/, `targets: ["127.0.0.1:${relayPort}"]`);
  const config = join(folder, "prometheus.yml");
  const rules = JSON.stringify(join(ops, "prometheus/alerts.yml"));
  const global = "global:\n  evaluation_interval: 1s\n";
  writeFileSync(config, `${global}rule_files: [${rules}]\nscrape_configs:\n${job.replace(/^/gm, "  ")}`);
  await call("promtool", ["check", "config", config]);
  const port = await freePort();
  const prometheus = start("prometheus", [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, "tsdb")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const url = `http://127.0.0.1:${port}`;
  await until("Prometheus is ready", async () => {
    if (prometheus.hasEnded()) throw new Error(prometheus.said());
    return (await fetch(`${url}/-/ready`).catch(() => null))?.ok === true;
  });
  return { url, stop: prometheus.stop };
}

/** @typedef {{ status: string, error?: string, data: { result: readonly { metric: object, value: [number, string] }[] } }} Answer */

/**
 * @param {string} url
 * @param {string} expression
 */
async function query(url, expression) {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const { status, error, data } = /** @type {Answer} */ (await answer.json());
  if (status !== "success") throw new Error(`${error}: ${expression}`);
  return data.result;
}

/** What the dashboard asks, with what Grafana puts in for its variables. @param {string} ops */
function dashboardQueries(ops) {
  const { panels } = /** @type {{ panels: { title: string, targets?: { expr: string }[] }[] }} */ (
    JSON.parse(readFileSync(join(ops, "grafana/dashboard.json"), "utf8"))
  );
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      expression: expr
        .replaceAll("$job", "copresence")
        .replaceAll("$instance", ".*")
        .replaceAll("$__rate_interval", "10s"),
    })),
  );
}

/** Each query of the dashboard has an answer, and each metric that a rule names is there. @param {string} url @param {string} ops */
export async function checkQueries(url, ops) {
  const queries = dashboardQueries(ops);
  const silent = new Set(queries);
  await until("a look at the relay", async () => (await query(url, 'rate(up{job="copresence"}[10s])')).length > 0);
  await until(
    "each query of the dashboard has an answer",
    async () => {
      for (const each of silent) if ((await query(url, each.expression)).length > 0) silent.delete(each);
      return silent.size === 0;
    },
    30_000,
  ).catch((error) => {
    const left = [...silent].map(({ title, expression }) => `${title}: ${expression}`);
    throw new Error(`${error.message}\n${left.join("\n")}`, { cause: error });
  });
  const rules = readFileSync(join(ops, "prometheus/alerts.yml"), "utf8");
  const names = new Set(rules.match(/\b(?:copresence|nodejs|process)_[a-z_]+(?=[{)[])/g));
  // a relay on a bus has it
  names.delete("copresence_bus_up");
  for (const name of names) {
    if ((await query(url, name)).length === 0)
      throw new Error(`a rule asks for ${name}, which the relay does not have`);
  }
  const firing = await query(url, 'ALERTS{alertstate="firing"}');
  if (firing.length > 0) throw new Error(`a relay that is well has alerts: ${JSON.stringify(firing)}`);
  return { queries: queries.length, metrics: names.size };
}
