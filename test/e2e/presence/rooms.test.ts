/** A tab with more rooms than a browser opens WebSockets to one host. */
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { build } from "vite";
import type { Presence, createPresence } from "../../../src/client/index.ts";
import { startRelay, until } from "../../support.ts";
import { sharedChromium } from "../browser/chromium.ts";

/** What the page has. */
interface Page {
  readonly copresence: { readonly createPresence: typeof createPresence };
  presence: Presence;
  /** How long it took until all rooms were live, ms; null: some are not. */
  tookMs: number | null;
}

/** The client as one script that needs no other. */
async function clientScript(): Promise<string> {
  const entry = fileURLToPath(new URL("../../../src/client/index.ts", import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, lib: { entry, formats: ["iife"], name: "copresence" } },
  });
  const [output] = [built].flat();
  if (output === undefined || !("output" in output)) throw new Error("nothing was built");
  return output.output.flatMap((chunk) => (chunk.type === "chunk" ? [chunk.code] : [])).join("\n");
}

const ROOMS = 300;

it("[LINK-1] [LINK-3] Alice's tab in 300 rooms has one socket, and all are live", async () => {
  const { url, relay } = await startRelay();
  const chromium = await sharedChromium();
  onTestFinished(() => chromium.kill("browser"));
  const page = await chromium.window.newPage();
  onTestFinished(() => page.close());
  const sockets = { opened: 0, open: 0 };
  page.on("websocket", (socket) => {
    sockets.opened++;
    sockets.open++;
    socket.on("close", () => sockets.open--);
  });
  await page.addScriptTag({ content: await clientScript() });
  await page.evaluate(
    ([address, count]) => {
      const here = globalThis as unknown as Page;
      const startedAt = performance.now();
      here.presence = here.copresence.createPresence(address, { user: { id: "alice" } });
      const rooms = Array.from({ length: count }, (_, i) => here.presence.join(`doc-${i}`));
      here.tookMs = null;
      const look = (): void => {
        if (!rooms.every(({ roster, provider }) => roster.status === "live" && provider.synced)) return;
        clearInterval(timer);
        here.tookMs = performance.now() - startedAt;
      };
      const timer = setInterval(look, 20);
    },
    [url, ROOMS] as const,
  );
  const tookMs = (): Promise<number | null> => page.evaluate(() => (globalThis as unknown as Page).tookMs);
  await until("all rooms are live", async () => (await tookMs()) !== null, 60_000);
  // on a machine that does nothing else it takes a fraction of a second
  console.log(`${ROOMS} rooms are live after ${Math.round((await tookMs()) ?? Infinity)} ms`);
  await until("one socket is open", () => sockets.open === 1);
  // where the machine stands still for seconds, a client gives its connection up and opens another
  expect(sockets.opened).toBeLessThan(5);
  await until("the lobby has them all", () => relay.user("alice")?.rooms.length === ROOMS, 60_000);
}, 150_000);
