/** Pages that show who is here, opened in a real browser by two people. */
import type { AddressInfo } from "node:net";
import { type Server, createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, vi } from "vitest";
import { type Chromium, sharedChromium } from "./chromium.ts";
import { until } from "../../support.ts";

/** How long anything may take to be seen: machines that run tests are busy. */
const DEADLINE_MS = 20_000;

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** Serves the files of a folder that a bundler wrote; ended with the test. @returns the address */
export async function serveFolder(folder: string): Promise<string> {
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = join(folder, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    readFile(file).then(
      (body) => response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream").end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The browser, for all tests of a file. */
export function chromiumForFile(): () => Chromium {
  vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
  let chromium: Chromium | undefined;
  beforeAll(async () => {
    chromium = await sharedChromium();
  });
  afterAll(() => chromium?.kill("browser"));
  return () => {
    if (chromium === undefined) throw new Error("the browser starts before the first test, no sooner");
    return chromium;
  };
}

/**
 * Alice and Bob, each with a browser of their own, open a page: each sees both, and of the other what they look at, if the
 * page has a field for that; and when Bob closes his page he is gone from hers.
 *
 * @param address the page for a person of this name
 */
export async function seeEachOther(chromium: Chromium, address: (name: string) => string): Promise<void> {
  const open = async (name: string) => {
    const context = await chromium.browser.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(address(name));
    return { page, context, errors, people: () => page.locator("li").allTextContents() };
  };
  const [alice, bob] = [await open("Alice"), await open("Bob")];
  for (const { people } of [alice, bob]) {
    await until("both are shown", async () => (await people()).length === 2, DEADLINE_MS);
  }
  expect((await alice.people()).join().replaceAll(/\s+/g, " ")).toMatch(/Alice \(you\).*Bob/);
  await until("the count", async () => /2 here/.test((await alice.page.locator("[role=status]").textContent()) ?? ""));
  const field = bob.page.locator("input");
  if ((await field.count()) > 0) {
    await field.fill("page 7");
    await until("what he looks at", async () => (await alice.people()).some((text) => text.includes("page 7")));
  }
  await bob.context.close();
  await until("he is gone", async () => (await alice.people()).length === 1, DEADLINE_MS);
  expect(alice.errors).toEqual([]);
}
