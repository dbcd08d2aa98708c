/** The inspector as its operator has it: in a browser, with people who come, go and are called what they like. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { ownClient, until } from "../../support.ts";
import { findings } from "../demo/axe.ts";
import { type Chromium, sharedChromium } from "../browser/chromium.ts";
import { spawnRelay } from "../demo/servers.ts";

const KEY = "a-key-for-tests-alone";
const DEADLINE_MS = 15_000;
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

let chromium: Chromium;
beforeAll(async () => {
  chromium = await sharedChromium();
});
afterAll(() => chromium.kill("browser"));

/** A relay with some people, and the inspector of it. */
async function inspect(): Promise<{ readonly page: Page; readonly url: string; readonly errors: string[] }> {
  const { url } = await spawnRelay(["--api-key", KEY]);
  const [alice, bob] = ["alice", "bob"].map((id) => ownClient(url, id));
  alice?.join("plans/2026");
  bob?.join("plans/2026");
  alice?.setStatus("dnd");
  const mallory = ownClient(url, "mallory", {
    user: { id: "mallory", name: "<img src=x onerror=document.title='!'>" },
  });
  mallory.join("<b>room</b>");
  const context = await chromium.browser.newContext({ viewport: { width: 1280, height: 760 } });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(`${url.replace("ws", "http")}/inspect`);
  return { page, url, errors };
}

async function signIn(page: Page): Promise<void> {
  await page.fill("#key", KEY);
  await page.keyboard.press("Enter");
  await page.waitForSelector("button.row", { timeout: DEADLINE_MS });
}

const sees = (page: Page, selector: string, text: string): Promise<void> =>
  until(
    `${selector} says ${text}`,
    async () => (await page.locator(selector).allTextContents()).join(" ").includes(text),
    DEADLINE_MS,
  );

it("[INSP-3] takes a key, and shows people, rooms, sockets, events, and why somebody is shown so", async () => {
  const { page, url, errors } = await inspect();
  expect(await findings(page)).toEqual([]);
  await page.fill("#key", "a-wrong-key-altogether");
  await page.keyboard.press("Enter");
  await sees(page, "#wrong", "key");
  // the browser itself says that an answer was 401
  errors.length = 0;
  await signIn(page);
  await sees(page, "#list", "Alice");
  await sees(page, "#live", "live");
  await page.click('button[data-key="person alice"]');
  await sees(page, "#detail", "dnd: the newest choice of status over all sessions");
  await sees(page, "#detail", "plans/2026");
  const carol = ownClient(url, "carol");
  await sees(page, "#feed", "Carol enters @lobby");
  carol.destroy();
  await sees(page, "#feed", "Carol leaves @lobby");
  expect(await findings(page)).toEqual([]);
  await page.click("#tab-rooms");
  await page.click('button[data-key="room plans/2026"]');
  await sees(page, "#detail", "Bob");
  expect(await findings(page)).toEqual([]);
  await page.click("#tab-sockets");
  await sees(page, "#list", "native");
  // a reload in the same tab asks for no key
  await page.reload();
  await sees(page, "#list", "Alice");
  await page.click("#forget");
  await page.waitForSelector("#door:not([hidden])", { timeout: DEADLINE_MS });
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  expect(errors).toEqual([]);
});

it("[INSP-4] shows names as text, and lets nothing run but its own files", async () => {
  const { page, errors } = await inspect();
  await signIn(page);
  await sees(page, "#list", "<img src=x");
  await page.click('button[data-key="person mallory"]');
  await sees(page, "#detail", "<b>room</b>");
  expect(await page.title()).toBe("Inspector · copresence");
  expect(await page.locator("img, b b, #list b").count()).toBe(0);
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'ran'";
    document.body.append(script);
    return document.title;
  });
  expect(ran).toBe("Inspector · copresence");
  // that is what the browser says of the script
  expect(errors.filter((error) => !error.includes("Content Security Policy"))).toEqual([]);
});

it("[INSP-3] goes by keyboard alone, also on a phone", async () => {
  const { page } = await inspect();
  await signIn(page);
  await page.keyboard.press("Tab");
  await page.locator("#tab-people").focus();
  await page.keyboard.press("ArrowRight");
  await sees(page, "#list", "plans/2026");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("/");
  await page.keyboard.type("ali");
  await until("Alice alone", async () => (await page.locator("#list button").count()) === 2, DEADLINE_MS);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.locator('button[data-key="person alice"]').focus();
  await page.keyboard.press("Enter");
  await sees(page, "#detail", "Alice");
  await until(
    "the focus stays while the list is refreshed",
    () => page.evaluate(() => document.activeElement?.getAttribute("data-key") === "person alice"),
    DEADLINE_MS,
  );
  await page.keyboard.press("Escape");
  await sees(page, "#detail", "Choose somebody");
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await findings(page)).toEqual([]);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBe(0);
});

it("[INSP-5] asks for nothing while it is not in view", async () => {
  const { page } = await inspect();
  await signIn(page);
  let asked = 0;
  page.on("request", () => asked++);
  await until("it asks", () => asked > 0, DEADLINE_MS);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  const before = asked;
  await page.waitForTimeout(3_000);
  expect(asked).toBe(before);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => false });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await until("it asks again", () => asked > before, DEADLINE_MS);
});
