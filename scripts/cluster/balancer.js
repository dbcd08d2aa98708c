/** A balancer on this machine with the configuration of ops/, in which only addresses, and how much it may hold, are changed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBalancer } from "../ensure.js";
import { start } from "./processes.js";

/** @typedef {import("../ensure.js").Balancer} Balancer */

const SOURCES = {
  nginx: new URL("../../ops/nginx/copresence.conf", import.meta.url),
  haproxy: new URL("../../ops/haproxy/haproxy.cfg", import.meta.url),
};

/**
 * The configuration of ops/ for a port of loopback.
 *
 * @param {Balancer} name
 * @param {number} port
 * @param {readonly (number | string)[]} relays the ports of three relays on loopback, or host and port
 */
export function configurationOf(name, port, relays) {
  let text = readFileSync(SOURCES[name], "utf8");
  relays.forEach((relay, i) => {
    text = text.replaceAll(`relay-${i + 1}.internal:1234`, typeof relay === "string" ? relay : `127.0.0.1:${relay}`);
  });
  // as far as a process that nobody has given more files may go
  text = text.replace("maxconn 100000", "maxconn 8000");
  return text.replace(name === "nginx" ? "listen 80;" : "bind :80", (found) =>
    found.replace(/:?80/, `127.0.0.1:${port}`),
  );
}

/**
 * Starts a balancer before three relays.
 *
 * @param {Balancer} name
 * @param {number} port
 * @param {readonly (number | string)[]} relays as `configurationOf` takes them
 */
export async function startBalancer(name, port, relays) {
  const path = findBalancer(name);
  if (path === null) throw new Error(`no ${name}: node scripts/ensure.js haproxy nginx`);
  const folder = mkdtempSync(join(tmpdir(), `copresence-${name}-`));
  const file = join(folder, "configuration");
  const configuration = configurationOf(name, port, relays);
  writeFileSync(file, name === "nginx" ? wholeNginx(configuration, folder) : configuration);
  const args = name === "nginx" ? ["-p", folder, "-e", "stderr", "-c", file] : ["-f", file];
  const balancer = await start(path, args, port);
  const stop = async () => {
    await balancer.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...balancer, stop };
}

/**
 * What stands around the file of ops/ in an nginx of one's own.
 *
 * @param {string} configuration
 * @param {string} folder
 */
function wholeNginx(configuration, folder) {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return [
    "daemon off; master_process off; error_log stderr warn;",
    `pid ${folder}/pid;`,
    "events { worker_connections 16384; }",
    "http { access_log off;",
    ...temporary.map((name) => `${name}_temp_path ${folder}/${name};`),
    configuration,
    "}",
  ].join("\n");
}
