/** The demo for everybody: whatever their eyes, their hands and their settings. */
import { devices } from "playwright-core";
import { expect, it } from "vitest";
import { sessionServer } from "../../../demo/session.js";
import type { Presence } from "../../../src/client/index.ts";
import { ownClient } from "../../support.ts";
import { findings } from "../demo/axe.ts";
import { type RelayProcess, spawnRelay } from "../demo/servers.ts";
import { Demo, type Visitor, person, testId } from "../demo/visitor.ts";

const asks = { toSignIn: false };
const session = sessionServer({
  secret: "no secret at all, but longer than 32 bytes",
  relay: () => "ws://127.0.0.1:1",
});
const demo = new Demo([], (request, response, next) => (asks.toSignIn ? session(request, response, next) : next()));

/** axe-core looks at some ten views in four kinds of colours. */
const LOOKED_AT_MS = 300_000;
const MENU = 'button[aria-label="Documents and people"]';
/** Colours that other programs may choose, though the demo offers none of them. */
const COLORS = ["#ffee00", "#0000ff", "red", "transparent", "#000", "#fff", "hsl(200 80% 60%)", "nonsense"];

/** People in the open document who have no page. */
function crowd(relay: RelayProcess, size: number): Presence[] {
  return Array.from({ length: size }, (_, at) => {
    const id = `guest${String(at).padStart(2, "0")}`;
    const color = COLORS[at % COLORS.length] ?? "";
    const presence = ownClient(relay.url, id, { user: { id, name: `Guest ${at + 1}`, color } });
    presence.join("field-notes");
    return presence;
  });
}

async function nothingIsWrong(view: string, { page }: Visitor): Promise<void> {
  expect.soft({ view, wrong: await findings(page) }).toEqual({ view, wrong: [] });
}

/** What has the focus: its label, text or class. */
function focused({ page }: Visitor): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
  });
}

const focusIsIn = ({ page }: Visitor, selector: string): Promise<boolean> =>
  page.evaluate((within) => document.activeElement?.closest(within) !== null, selector);

it(
  "axe-core finds nothing wrong with the document, its lists and menus, and no text is faint",
  async () => {
    const relay = await spawnRelay(["--leave-grace", "30000"]);
    const [away, dnd] = crowd(relay, 9);
    away?.setStatus("away");
    dnd?.setStatus("dnd");
    const bob = await demo.enter(relay, "bob");
    await bob.write("# On the shore\nThe *tide* was out, as `code` and > said. [link](x)");
    const alice = await demo.enter(relay, "alice");
    await alice.sees(person("guest00", { status: "away" }));
    await alice.sees(testId("more-people"));
    await bob.page.keyboard.press("Shift+Home");
    await alice.finds("his selection", async () => ((await alice.carets())[0]?.selected ?? "") !== "");
    await nothingIsWrong("document", alice);
    await alice.page.locator(testId("more-people")).click();
    await nothingIsWrong("list of more people", alice);
    await alice.page.keyboard.press("Escape");
    await alice.page.locator(testId("status-menu")).click();
    await nothingIsWrong("status menu", alice);
    await alice.page.keyboard.press("Escape");
    await alice.page.locator('[aria-label="New document"]').click();
    await nothingIsWrong("new document", alice);
    await relay.kill();
    await alice.sees(".banner", "Reconnecting");
    await nothingIsWrong("out of date", alice);
  },
  LOOKED_AT_MS,
);

it(
  "axe-core finds nothing wrong on a phone, with either drawer open, while connecting, and at the door",
  async () => {
    const relay = await spawnRelay();
    crowd(relay, 5);
    const alice = await demo.enter(relay, "alice", { browser: devices["iPhone 15"] });
    await alice.sees(person("guest04"));
    await nothingIsWrong("phone", alice);
    await alice.page.locator(MENU).click();
    await nothingIsWrong("documents and people", alice);
    await alice.page.keyboard.press("Escape");
    await alice.page.locator('button[aria-label="Activity"]').click();
    await nothingIsWrong("activity", alice);

    const nowhere = demo.at(await (await demo.context()).newPage());
    await nowhere.page.goto(`${demo.url}/?relay=ws://127.0.0.1:1`);
    await nowhere.sees(".banner", "Connecting");
    await nothingIsWrong("connecting", nowhere);
    await nowhere.sees(".banner", "Is the relay running at ws://127.0.0.1:1");
    await nothingIsWrong("still connecting", nowhere);

    asks.toSignIn = true;
    try {
      await nowhere.page.goto(demo.url);
      await nowhere.sees(testId("sign-in"));
      await nothingIsWrong("sign-in", nowhere);
    } finally {
      asks.toSignIn = false;
    }
  },
  LOOKED_AT_MS,
);

it("the name that is there already is selected when its field gets the focus, by key, press or on arrival", async () => {
  asks.toSignIn = true;
  try {
    const alice = demo.at(await (await demo.context()).newPage());
    await alice.page.goto(demo.url);
    const field = alice.page.locator(testId("sign-in-name"));
    await alice.sees(testId("sign-in-name"));
    const selected = (): Promise<boolean> =>
      field.evaluate((input: HTMLInputElement) => {
        const { value, selectionStart, selectionEnd } = input;
        return (
          document.activeElement === input && value !== "" && selectionStart === 0 && selectionEnd === value.length
        );
      });
    await alice.finds("the name selected on arrival", selected);
    await alice.page.locator(".hint").click();
    await field.click();
    await alice.finds("the name selected by a press", selected);
    await field.click();
    expect(await selected()).toBe(false);
    await alice.page.keyboard.press("Tab");
    await alice.page.keyboard.press("Shift+Tab");
    await alice.finds("the name selected by a key", selected);
    await alice.page.keyboard.type("Alice");
    expect(await field.inputValue()).toBe("Alice");
  } finally {
    asks.toSignIn = false;
  }
});

it("a drawer takes the focus, keeps it, closes with Escape and gives the focus back; a menu within closes first", async () => {
  const relay = await spawnRelay();
  const alice = await demo.enter(relay, "alice", { browser: devices["iPhone 15"] });
  const { page } = alice;
  const isOpen = (): Promise<boolean> => page.locator(".sidebar").isVisible();
  await page.locator(MENU).click();
  await alice.finds("the focus in the drawer", () => focusIsIn(alice, ".sidebar"));
  for (const key of [...Array<string>(20).fill("Tab"), ...Array<string>(20).fill("Shift+Tab")]) {
    await page.keyboard.press(key);
    expect({ key, inDrawer: await focusIsIn(alice, ".sidebar") }).toEqual({ key, inDrawer: true });
  }
  await page.locator(testId("status-menu")).click();
  await page.keyboard.press("Escape");
  await alice.misses('[role="menu"]');
  expect(await isOpen()).toBe(true);
  await page.keyboard.press("Escape");
  await alice.finds("it closed", async () => !(await isOpen()));
  await alice.finds("the focus given back", async () => (await focused(alice)) === "Documents and people");

  // what is pressed with a finger closes it as well
  await page.locator(MENU).click();
  await page.locator('.sidebar button[aria-label="Close"]').click();
  await alice.finds("it closed", async () => !(await isOpen()));
  await page.locator('button[aria-label="Activity"]').click();
  await alice.finds("the focus in the log", () => focusIsIn(alice, ".log"));
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  expect(await focusIsIn(alice, ".log")).toBe(true);
  await page.keyboard.press("Escape");
  await alice.finds("it closed", async () => !(await page.locator(".log").isVisible()));
  await alice.finds("the focus given back", async () => (await focused(alice)) === "Activity");
});

it("+25 can be read, and opened by keyboard and by touch: it lists who they are", async () => {
  const relay = await spawnRelay();
  crowd(relay, 30);
  const alice = await demo.enter(relay, "alice");
  const more = testId("more-people");
  const names = ({ page }: Visitor): Promise<string[]> =>
    page.locator(`${testId("more-list")} .name`).allTextContents();
  await alice.sees(more, "+25");
  const covered = await alice.page.locator(more).evaluate((button) => {
    const { left, right, top, bottom } = button.getBoundingClientRect();
    const points = [left + 6, (left + right) / 2, right - 6].map((x) => [x, (top + bottom) / 2] as const);
    return points.filter(([x, y]) => document.elementFromPoint(x, y) !== button).length;
  });
  expect(covered).toBe(0);
  await alice.page.locator(more).focus();
  await alice.page.keyboard.press("Enter");
  await alice.sees(testId("more-list"));
  expect(await names(alice)).toHaveLength(25);
  expect(await names(alice)).toContain("Alice");
  await alice.page.keyboard.press("Tab");
  await alice.finds("the focus in the list", () => focusIsIn(alice, testId("more-list")));
  await alice.page.keyboard.press("Escape");
  await alice.misses(testId("more-list"));
  await alice.finds("the focus given back", async () => (await focused(alice)).startsWith("+25"));

  const phone = await demo.enter(relay, "alice", { browser: devices["iPhone 15"] });
  await phone.sees(more, "+28");
  await phone.page.locator(more).tap();
  await phone.sees(testId("more-list"));
  expect(await names(phone)).toHaveLength(28);
  const list = await phone.box(testId("more-list"));
  expect(list.x).toBeGreaterThanOrEqual(0);
  expect(list.x + list.width).toBeLessThanOrEqual(393);
  await phone.page.locator(testId("more-guest20")).tap();
  await phone.misses(testId("more-list"));
});

it("whatever has the keyboard's focus is outlined", async () => {
  const relay = await spawnRelay();
  crowd(relay, 9);
  const alice = await demo.enter(relay, "alice");
  await alice.sees(testId("more-people"));
  const seen = new Set<string>();
  const bare = new Set<string>();
  for (let at = 0; at < 45; at++) {
    await alice.page.keyboard.press("Tab");
    const { label, outline } = await alice.page.evaluate(() => {
      const element = document.activeElement;
      const shown = element?.closest(".cm-editor") ?? element ?? document.body;
      const { outlineStyle, outlineWidth } = getComputedStyle(shown);
      const width = outlineStyle === "none" ? 0 : Number.parseFloat(outlineWidth);
      return { label: `${element?.tagName} ${element?.className}`, outline: element === document.body ? 2 : width };
    });
    seen.add(label);
    if (outline < 2) bare.add(label);
  }
  expect([...bare]).toEqual([]);
  expect([...seen].some((label) => label.includes("cm-content"))).toBe(true);
  expect(seen.size).toBeGreaterThan(8);
});
