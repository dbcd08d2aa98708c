/** What the pages need: the built demo on a port, and the relay as its users start it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const root = new URL("../../../", import.meta.url);
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

function needs(path: string, script: string): string {
  const file = fileURLToPath(new URL(path, root));
  if (!existsSync(file)) throw new Error(`${path} is missing: npm run ${script}`);
  return file;
}

/** What answers before the demo's files do. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * Serves `dist-demo`.
 *
 * @param first default: nothing, and nobody can sign in
 */
export async function serveDemo(
  first: Middleware = (_request, _response, next) => next(),
): Promise<{ readonly url: string; readonly server: Server }> {
  const index = needs("dist-demo/index.html", "build:demo");
  const files = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = pathname === "/" ? index : fileURLToPath(new URL(`dist-demo${pathname}`, root));
    readFile(file).then(
      (body) => response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream").end(body),
      () => response.writeHead(404).end(),
    );
  };
  const server = createServer((request, response) => first(request, response, () => files(request, response)));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export interface RelayProcess {
  readonly url: string;
  readonly port: number;
  /** Ends without a word (SIGKILL). */
  kill(): Promise<void>;
}

/** The command as it is built, in a process of its own; killed with the test. */
export async function spawnRelay(flags: readonly string[] = [], port = 0): Promise<RelayProcess> {
  const cli = needs("dist/cli.js", "build");
  const child = spawn(process.execPath, [cli, "--host", "127.0.0.1", "--port", String(port), ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const kill = (): Promise<void> => killed(child);
  onTestFinished(kill);
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      const found = /ws:\/\/\S+/.exec(chunk.toString())?.[0];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`the relay ended with ${code}`)));
  });
  return { url, port: Number(new URL(url).port), kill };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  child.kill("SIGKILL");
  await ended;
}
