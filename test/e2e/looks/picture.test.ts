/**
 * The README's pictures: people at work in one document, and what the demo shows of them. Where COPRESENCE_SCREENSHOTS
 * names a folder, they are written there (`npm run screenshots`).
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BrowserContextOptions, type Page, devices } from "playwright-core";
import { expect, it, vi } from "vitest";
import type { Presence, Room } from "../../../src/client/index.ts";
import { ownClient, startRelay, until } from "../../support.ts";
import { Demo, type Visitor, avatar, person, testId, watch } from "../demo/visitor.ts";

const demo = new Demo();
const folder = process.env["COPRESENCE_SCREENSHOTS"];
const MINUTE_MS = 60_000;
/** Five browsers and three pictures take their time on a machine that does other things as well. */
const DRAWN_MS = 300_000;
const LETTER = "letter-from-the-coast";

const people = {
  noor: { id: "noor", name: "Noor Haddad", color: "#2a73c4" },
  elif: { id: "elif", name: "Elif Aydın", color: "#c24d33" },
  june: { id: "june", name: "June Park", color: "#26804f" },
  tomas: { id: "tomas", name: "Tomás Rey", color: "#8a58d3" },
  ingrid: { id: "ingrid", name: "Ingrid Solheim", color: "#a1630f" },
  kofi: { id: "kofi", name: "Kofi Mensah", color: "#0c7d85" },
  hal: { id: "hal", name: "Hal Brennan", color: "#b5459d" },
  priya: { id: "priya", name: "Priya Nair", color: "#5b69dd" },
} as const;
type Name = keyof typeof people;

const TEXT = `We came down to the harbour on the evening tide, later than we had hoped. Everything smelled of salt and diesel and bread.

## The house

The key was under the third pot, as promised. There is a stove that *mostly* draws, and a window that shows you the weather an hour before it arrives.

## Low water

At six the sand is bare as far as the wreck. We counted forty oystercatchers, and one seal that did not care to be counted.

We walk out

## What to bring

- Boots, and a second pair of socks
- The good coffee
- Something to read aloud`;

/** Puts somebody's caret behind a text, or selects it. */
async function select({ page }: Visitor, text: string, how: "behind" | "all"): Promise<void> {
  await page.locator(".cm-content").focus();
  await page.evaluate(
    ([wanted, behind]) => {
      const texts = document.createTreeWalker(document.querySelector(".cm-content")!, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const from = texts.currentNode.textContent!.indexOf(wanted);
        const to = from + wanted.length;
        if (from >= 0)
          return getSelection()!.setBaseAndExtent(texts.currentNode, behind ? to : from, texts.currentNode, to);
      }
      throw new Error(`no such text: ${wanted}`);
    },
    [text, how === "behind"] as const,
  );
}

/** Points below a line of the text. */
async function point({ page }: Visitor, text: string, dx: number, dy: number): Promise<void> {
  const box = await page.locator(".cm-line", { hasText: text }).boundingBox();
  await page.mouse.move(box!.x + dx, box!.y + dy, { steps: 3 });
}

async function shoot({ page }: Visitor, name: string): Promise<void> {
  // the names at carets fade; in a picture they stay
  await page.evaluate(() => {
    for (const animation of document.getAnimations()) {
      animation.currentTime = 400;
      animation.pause();
    }
  });
  const picture = await page.screenshot({ caret: "initial" });
  await page.evaluate(() => document.getAnimations().forEach((animation) => animation.play()));
  expect(picture.length).toBeGreaterThan(20_000);
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.png`), picture);
}

/** A page whose clock can be put back, so that its events seem to lie apart. */
async function pageWithClock(
  options: BrowserContextOptions,
): Promise<{ readonly page: Page; readonly putBack: (minutes: number) => Promise<void> }> {
  const page = await (await demo.context(options)).newPage();
  await page.addInitScript(() => {
    const { now } = Date;
    Date.now = () => now() - Number(sessionStorage.getItem("back") ?? 0);
  });
  const putBack = (minutes: number): Promise<void> =>
    page.evaluate((ms) => sessionStorage.setItem("back", String(ms)), minutes * MINUTE_MS);
  return { page, putBack };
}

/** A time zone in which it is past four in the afternoon. Zones lie between 12 hours west and 14 hours east of UTC. */
function timeZone(now: number): string {
  const ahead = 16 - new Date(now).getUTCHours();
  const east = ahead > 12 ? ahead - 24 : ahead;
  return `Etc/GMT${east > 0 ? "-" : "+"}${Math.abs(east)}`;
}

it(
  "[USER-1] four write a letter together; others are elsewhere, or were here",
  async () => {
    const now = Date.now();
    const ago = (minutes: number): void => void vi.setSystemTime(now - minutes * MINUTE_MS);
    vi.useFakeTimers({ toFake: ["Date"] });
    ago(190);
    const relay = await startRelay();
    const online = (name: Name, document: string): { readonly presence: Presence; readonly room: Room } => {
      const presence = ownClient(relay.url, name, { user: people[name] });
      return { presence, room: presence.join(document) };
    };
    const enter = (name: Name, browser: BrowserContextOptions): Promise<Visitor> =>
      demo.enter(relay, name, { browser, document: LETTER, query: people[name] });

    const hal = online("hal", LETTER);
    await until("Hal is in", () => hal.room.provider.synced && hal.presence.lobby.status === "live");
    hal.room.doc.getText("text").insert(0, TEXT);
    hal.presence.destroy();
    const watcher = await watch(relay);
    await until("he is gone", () => watcher.lobby.recent.length === 1);
    watcher.destroy();

    ago(16);
    const { page, putBack } = await pageWithClock({
      viewport: { width: 1440, height: 900 },
      deviceScaleFactor: 1.5,
      locale: "en-GB",
      timezoneId: timeZone(now),
    });
    const noor = await demo.enter(relay, "noor", { page, document: LETTER, query: people.noor });
    await putBack(16);
    const priya = online("priya", LETTER);
    await noor.sees(avatar("priya"));
    await noor.sees(person("priya"));
    await putBack(12);
    ago(12);
    priya.presence.destroy();
    await noor.sees(testId("recent-priya"));
    vi.useRealTimers();

    await putBack(11);
    const ingrid = online("ingrid", "the-long-way-home");
    await noor.sees(person("ingrid", { status: "online" }));
    await putBack(9);
    const elif = await enter("elif", { viewport: { width: 1280, height: 900 } });
    const phone = ownClient(relay.url, "elif", { user: people.elif, device: "mobile" });
    await until("Elif's phone is live", () => phone.lobby.status === "live");
    await putBack(7);
    const kofi = online("kofi", "reading-list");
    await noor.sees(person("kofi", { status: "online" }));
    await putBack(6);
    ingrid.presence.setMeta({ note: "walking the dog" });
    ingrid.presence.setStatus("away");
    await noor.sees(person("ingrid", { status: "away" }), "walking the dog");
    await putBack(4);
    const june = await enter("june", { viewport: { width: 1440, height: 900 } });
    await putBack(2);
    kofi.presence.setStatus("dnd");
    await noor.sees(person("kofi", { status: "dnd" }));
    await putBack(1);
    const tomas = await enter("tomas", devices["iPad Pro 11 landscape"]);
    await noor.sees(avatar("tomas"));
    await putBack(0);

    await select(june, "under the third pot", "all");
    await point(june, "The key was", 520, 74);
    await point(elif, "At six", 610, 70);
    await select(noor, "before it arrives.", "behind");
    await select(tomas, "second pair of socks", "behind");
    await select(elif, "We walk out", "behind");
    /** As they write, at the moment of the picture. */
    const write = async (elifs: string, tomass: string): Promise<void> => {
      await june.page.keyboard.press("Shift+ArrowLeft");
      await tomas.page.keyboard.insertText(tomass);
      await elif.page.keyboard.insertText(elifs);
      await june.page.keyboard.press("Shift+ArrowRight");
      await noor.sees(".writing", "Elif Aydın and Tomás Rey are writing");
    };
    await noor.finds("all carets", async () => (await noor.carets()).length === 3);
    await noor.finds("all six", async () => (await noor.page.locator(".person:not(.gone)").count()) === 6);
    await noor.sees(`${person("elif")} [aria-label="On a phone"]`);
    await noor.sees(person("tomas", { device: "tablet" }));
    await noor.sees(testId("recent-hal"), "3 hr ago");
    // last of all: soon they are readers again, and their names fade
    await write(" until the channel", ", dry");
    await shoot(noor, "demo");

    if (folder === undefined) return;

    await page.emulateMedia({ colorScheme: "dark" });
    await write(" stops us", " ones");
    await shoot(noor, "demo-dark");

    const phoneOfPriya = await enter("priya", { ...devices["iPhone 15"], deviceScaleFactor: 2, locale: "en-GB" });
    await write(",", ",");
    await phoneOfPriya.page.locator('button[aria-label="Documents and people"]').click();
    await phoneOfPriya.finds("the side bar", async () => (await phoneOfPriya.box(".sidebar")).x === 0);
    await phoneOfPriya.sees(person("elif"), "Writing in Low water");
    await shoot(phoneOfPriya, "demo-phone");
  },
  DRAWN_MS,
);
