/** A Redis server of a test's own: on a free port, in a temporary folder, stopped with the test. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { findRedis } from "../../scripts/ensure.js";
import { until } from "../support.ts";

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  kill(signal: NodeJS.Signals): void;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
}

/** @param options of the command line, such as `--requirepass secret` */
export async function startRedis(...options: readonly string[]): Promise<RedisServer> {
  const path = findRedis();
  if (path === null) throw new Error("no redis-server: node scripts/ensure.js redis");
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "copresence-redis-"));
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    const settings = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
    child = spawn(path, [...settings, ...options], { stdio: "ignore" });
    await until("Redis listens", () => isListening(port));
  };
  await start();
  onTestFinished(() => {
    child.kill("SIGCONT");
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: `redis://127.0.0.1:${port}`, port, kill: (signal) => void child.kill(signal), restart: start };
}

/** A master, a replica, and a Sentinel that makes the replica the master once the master is gone for half a second. */
export async function startSentinel(): Promise<{ readonly url: string; readonly master: RedisServer }> {
  const path = findRedis();
  if (path === null) throw new Error("no redis-server: node scripts/ensure.js redis");
  const master = await startRedis();
  await startRedis("--replicaof", `127.0.0.1 ${master.port}`, "--repl-diskless-sync-delay", "0");
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "copresence-sentinel-"));
  const file = join(folder, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    "sentinel down-after-milliseconds main 500",
    "sentinel failover-timeout main 5000",
  ];
  writeFileSync(file, lines.join("\n"));
  const child = spawn(path, [file, "--sentinel"], { stdio: "ignore" });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  await until("the Sentinel listens", () => isListening(port));
  await until("the Sentinel knows the replica", () => answers(port, "SENTINEL replicas main", "flags"), 20_000);
  await until("the replica follows", () => answers(master.port, "INFO replication", "state=online"), 20_000);
  return { url: `redis-sentinel://127.0.0.1:${port}/main`, master };
}

/** A Redis Cluster of three masters. */
export async function startRedisCluster(): Promise<{ readonly url: string; readonly nodes: readonly RedisServer[] }> {
  const options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-config-file", "nodes.conf"];
  const nodes = await Promise.all(
    // the port on which nodes speak to each other is 10,000 above theirs unless it is said
    [0, 1, 2].map(async () => startRedis(...options, "--cluster-port", `${await freePort()}`)),
  );
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  execFileSync("redis-cli", ["--cluster", "create", ...hosts, "--cluster-yes"], { stdio: "pipe" });
  const areWhole = async (): Promise<boolean> =>
    (await Promise.all(nodes.map(({ port }) => answers(port, "CLUSTER INFO", "cluster_state:ok")))).every(Boolean);
  await until("the nodes are a cluster", areWhole, 20_000);
  return { url: `redis-cluster://${hosts.join(",")}`, nodes };
}

/** Whether what a server answers to a command has some text in it. */
function answers(port: number, command: string, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(`${command}\r\nQUIT\r\n`));
    let answer = "";
    socket.on("data", (chunk) => (answer += String(chunk)));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(answer.includes(text)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
