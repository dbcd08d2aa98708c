/** The programs in examples/, as they are written: each is run or built, and two people see each other. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { expect, it, onTestFinished } from "vitest";
import { ownClient, startRelay, stockClient, until } from "./support.ts";

const path = (name: string): string => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));

/** Runs an example; what it says is in `said`. */
function run(name: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, [path(name), ...args], { env: { ...process.env, ...env } });
  const example = { said: "", child };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (data: Buffer) => void (example.said += data.toString()));
  }
  onTestFinished(() => void child.kill("SIGKILL"));
  return example;
}

it("the script that watches a room says who is there, who comes and who goes", async () => {
  const { url } = await startRelay();
  const alice = ownClient(url, "alice");
  const room = alice.join("doc-1");
  await until("she is there", () => room.roster.status === "live");
  const example = run("node-script/watch.js", ["doc-1", url]);
  await until("it says so", () => example.said.includes("in doc-1: Alice"), 15_000);
  const bob = ownClient(url, "bob");
  bob.join("doc-1");
  await until("he came", () => example.said.includes("Bob came"));
  bob.destroy();
  await until("he left", () => example.said.includes("Bob left"));
  example.child.kill("SIGTERM");
  await until("it has left, too", () => room.roster.get("watcher") === undefined);
});

it("the ws server of one's own is a presence server", async () => {
  const example = run("ws-server/server.js", [], { PORT: "0" });
  await until("it listens", () => /listening on \d+/.test(example.said), 15_000);
  const url = `ws://127.0.0.1:${/listening on (\d+)/.exec(example.said)?.[1]}`;
  const alice = ownClient(url, "alice");
  const room = alice.join("doc");
  const bob = stockClient(url, "doc", { user: { id: "bob", name: "Bob" } });
  await until("she sees him", () => room.roster.get("bob") !== undefined && alice.lobby.get("bob") !== undefined);
  await until("he sees her", () => bob.awareness.getStates().size === 2);
  expect(example.said).toContain("join bob doc");
});

it("the Express server signs people in, and says who they are", async () => {
  const example = run("express-tokens/server.js", [], { PORT: "0" });
  await until("it listens", () => /localhost:\d+/.test(example.said), 15_000);
  const origin = `127.0.0.1:${/localhost:(\d+)/.exec(example.said)?.[1]}`;
  expect((await fetch(`http://${origin}/token`)).status).toBe(401);
  expect(await (await fetch(`http://${origin}/`)).text()).toContain("createPresence");
  const token = async (): Promise<string> => await (await fetch(`http://${origin}/token?name=Alice`)).text();
  const alice = ownClient(`ws://${origin}/presence`, "somebody else", { token });
  const room = alice.join("doc-1");
  await until("she is in", () => room.roster.self?.id === "alice");
  await until("it says so", () => example.said.includes("alice came to doc-1"));
});

it.each(["plain-page", "react"])("the page %s is built as it is written", async (name) => {
  const outDir = mkdtempSync(join(tmpdir(), "copresence-example-"));
  onTestFinished(() => rmSync(outDir, { recursive: true, force: true }));
  const output = await build({
    root: path(name),
    logLevel: "error",
    configFile: fileURLToPath(new URL("../vite.config.ts", import.meta.url)),
    build: { outDir, emptyOutDir: true },
  });
  const files = (Array.isArray(output) ? output : [output]).flatMap((each) => ("output" in each ? each.output : []));
  expect(files.some(({ fileName }) => fileName === "index.html")).toBe(true);
  expect(files.some((file) => file.type === "chunk" && file.code.includes("copresence.v"))).toBe(true);
});
