/** What `copresence verify` finds on the servers that people run today: at least what the bench's tables have. */
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Server } from "@hocuspocus/server";
import { describe, expect, it, onTestFinished } from "vitest";
import { hocuspocus, yWebsocket } from "../../src/verify/peer/dialect.ts";
import type { Target } from "../../src/verify/scene.ts";
import { type VerifyOptions, verify } from "../../src/verify/verify.ts";
import { until } from "../support.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** @y/websocket-server as `npx y-websocket` starts it. */
async function yWebsocketServer(): Promise<string> {
  const port = await freePort();
  const script = join(dirname(fileURLToPath(import.meta.resolve("@y/websocket-server/package.json"))), "src/server.js");
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, HOST: "127.0.0.1", PORT: String(port) },
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  await until("y-websocket's server listens", () => out.includes("running"), 15_000);
  return `ws://127.0.0.1:${port}`;
}

/** @hocuspocus/server as it comes. */
async function hocuspocusServer(): Promise<string> {
  const server = new Server({ address: "127.0.0.1", port: 0, quiet: true, stopOnSignals: false });
  await server.listen();
  onTestFinished(() => server.destroy());
  return `ws://127.0.0.1:${server.address.port}`;
}

async function broken(target: Pick<Target, "dialect" | "base">, options: VerifyOptions) {
  const findings = await verify(
    { prefix: "verify-", tokens: ["alice", "bob", "mallory"], origin: "https://a.example", ...target },
    options,
  );
  return findings.flatMap(({ rule, title, judgement }) => (judgement.verdict === "broken" ? [`${rule} ${title}`] : []));
}

describe("finds what the bench found", () => {
  it("[VERIFY-5] on @y/websocket-server", async () => {
    const base = new URL(await yWebsocketServer());
    const found = [
      ...(await broken({ dialect: yWebsocket, base }, { withinSeconds: 25 })),
      ...(await broken({ dialect: yWebsocket, base }, { only: ["OWN-10", "LIMIT-1", "LIMIT-5"], abuse: true })),
    ];
    expect(found).toEqual(
      expect.arrayContaining([
        // "says that she is Alice", "comes with an expired token …", "comes from a page of another site"
        "ID-1 nobody passes for somebody else",
        "AUTH-1 who bring a token without a signature are not let in",
        "AUTH-9 pages of another site do not connect in their visitors' names",
        // "removes everyone", "removes Alice", "moves Alice's cursor", "uses up Alice's clock"
        "OWN-1 nobody removes anybody else",
        "OWN-1 a tab that drops does not remove those that it heard of",
        "OWN-1 nobody moves anybody else's cursor",
        "OWN-1 nobody uses up anybody else's clock",
        // "brings back one who left", "takes the id of one who reconnects"
        "OWN-6 nobody brings back somebody who has left",
        "ID-3 nobody takes the client id of somebody who is reconnecting",
        // "sends 5,000 ids", "sends 100,000 small messages" (fewer here), "opens 200 connections and says nothing"
        "OWN-10 nobody is five thousand people",
        "LIMIT-1 who send 20,000 messages at once are closed, and others notice nothing",
        "LIMIT-5 a hundred connections that never say what they want are cut off",
        // the reconnect table: 13.8 s until the other is seen, up to 17 s until one is seen
        "LIVE-10 who come back see at once everybody who is there",
        "LIVE-2 who are cut off and come back at once were never gone",
      ]),
    );
  }, 120_000);

  it("[VERIFY-4] on @hocuspocus/server, through its own protocol", async () => {
    const base = new URL(await hocuspocusServer());
    const found = await broken({ dialect: hocuspocus, base }, { withinSeconds: 25 });
    expect(found).toEqual(
      expect.arrayContaining([
        "ID-1 nobody passes for somebody else",
        "OWN-1 nobody moves anybody else's cursor",
        "OWN-1 nobody uses up anybody else's clock",
        "OWN-6 nobody brings back somebody who has left",
        "ID-3 nobody takes the client id of somebody who is reconnecting",
        "LIVE-2 who are cut off and come back at once were never gone",
      ]),
    );
  }, 60_000);
});
