/** The examples of frameworks, installed by their lock files, built as they are written, and opened by two people. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { seeEachOther, serveFolder, chromiumForFile } from "../e2e/browser/pages.ts";
import { startRelay, until } from "../support.ts";
import { installExample, runScript } from "./install.ts";

const chromium = chromiumForFile();

it.each(["vue", "svelte"])("two people see each other on the page made with %s", { timeout: 600_000 }, async (name) => {
  const folder = await installExample(name);
  await runScript(folder, "build");
  const [page, { url }] = [await serveFolder(join(folder, "dist")), await startRelay({ leaveGrace: 200 })];
  await seeEachOther(chromium(), (who) => `${page}/?name=${who}&relay=${url}`);
});

it(
  "two people see each other on the page made with Next.js, which is rendered on a server first",
  { timeout: 600_000 },
  async () => {
    const folder = await installExample("next");
    await runScript(folder, "build");
    const port = await freePort();
    const child = spawn("node_modules/.bin/next", ["start", "--port", String(port)], {
      cwd: folder,
      detached: true,
      stdio: "ignore",
      env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
    });
    // it may have processes of its own, which end with it
    onTestFinished(() => void (child.pid !== undefined && process.kill(-child.pid, "SIGKILL")));
    const page = `http://127.0.0.1:${port}`;
    const answers = (): Promise<boolean> =>
      fetch(page).then(
        ({ ok }) => ok,
        () => false,
      );
    await until("it listens", answers, 30_000);
    const html = await (await fetch(page)).text();
    // the server puts nobody online, and says so
    expect(html).toContain("Who is here");
    expect(html).toContain("connecting");
    const { url, relay } = await startRelay({ leaveGrace: 200 });
    await seeEachOther(chromium(), (who) => `${page}/?name=${who}&relay=${url}`);
    expect(relay.users().map(({ id }) => id)).toEqual(["alice"]);
  },
);

/** A port that was free a moment ago: Next.js takes none of its own choice. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
