/** A Redis server of a test's own: on a free port, in a temporary folder, stopped with the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
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
