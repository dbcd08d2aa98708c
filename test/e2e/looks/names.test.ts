/** Names that do not fit: written from right to left, long, or at the edge of the page. */
import { devices } from "playwright-core";
import { expect, it } from "vitest";
import { ownClient } from "../../support.ts";
import { spawnRelay } from "../demo/servers.ts";
import { Demo, type Visitor, avatar, person, testId } from "../demo/visitor.ts";

const demo = new Demo();

const HEBREW = "אברהם בן־שמואל הלוי מירושלים עיר הקודש והמקדש";

/** Whether the first letter of a name can be seen, and nothing of it reaches beyond where it is shown. */
function beginsInSight({ page }: Visitor, selector: string, within: string): Promise<boolean> {
  return page.evaluate(
    ([inner, outer]) => {
      const name = document.querySelector(inner);
      const text = name && document.createTreeWalker(name, NodeFilter.SHOW_TEXT).nextNode();
      const shown = name?.closest(outer)?.getBoundingClientRect();
      if (!name || !text || !shown) return false;
      const letter = document.createRange();
      letter.setStart(text, 0);
      letter.setEnd(text, 1);
      const first = letter.getBoundingClientRect();
      const clip = name.getBoundingClientRect();
      const inClip = first.left >= clip.left - 0.5 && first.right <= clip.right + 0.5;
      return inClip && first.width > 0 && clip.left >= shown.left - 0.5 && clip.right <= shown.right + 0.5;
    },
    [selector, within] as const,
  );
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where the label at the only caret is, once it was placed. */
function label({ page }: Visitor): Promise<Box> {
  return page.evaluate(async () => {
    await new Promise((resolve) => {
      requestAnimationFrame(() => requestAnimationFrame(resolve));
    });
    const { left, right, top, bottom } = document.querySelector(".cm-ySelectionInfo")!.getBoundingClientRect();
    return { left, right, top, bottom };
  });
}

it("a name from right to left keeps its beginning wherever it is cut short, and the words around it their order", async () => {
  const relay = await spawnRelay();
  const avi = ownClient(relay.url, "avi", { user: { id: "avi", name: HEBREW } });
  avi.join("field-notes", { meta: { doing: "writing" } });
  const alice = await demo.enter(relay, "alice", { browser: { viewport: { width: 1280, height: 800 } } });
  await alice.sees(person("avi"));
  await alice.finds("his name", () => beginsInSight(alice, `${person("avi")} .name`, ".row"));
  await alice.sees(avatar("avi"));
  await alice.page.locator(avatar("avi")).hover();
  await alice.finds("his name", () => beginsInSight(alice, `${avatar("avi")} .tip .name`, ".tip"));
  // "is writing" stands behind the name, not within it
  const writing = await alice.page.locator(".writing-names").evaluate((element) => ({
    isolated: element.querySelector("bdi")?.textContent,
    direction: getComputedStyle(element).direction,
  }));
  expect(writing).toEqual({ isolated: HEBREW, direction: "ltr" });
  avi.destroy();
  await alice.sees(testId("recent-avi"));
  await alice.finds("his name", () => beginsInSight(alice, `${testId("recent-avi")} .name`, ".row"));
});

it("the name at Bob's caret stays on Alice's page at its right, left and upper edge, also after she scrolls", async () => {
  const { relay, alice: desk, bob } = await demo.meet();
  await desk.page.close();
  const alice = await demo.enter(relay, "alice", { browser: devices["iPhone 15"] });
  const lines = Array.from({ length: 60 }, (_, at) => `Line ${at + 1}`).join("\n");
  await bob.write(`${"wide ".repeat(11)}\n${lines}`);
  await bob.page.locator(testId("status-menu")).click();
  await bob.page.locator(testId("name")).fill("Bob of the very long name that no page holds");
  await bob.page.keyboard.press("Enter");
  await alice.finds("the name", async () => (await alice.carets())[0]?.name.startsWith("Bob of") === true);
  const column = await alice.box(".column");

  // along a line that is as wide as the page
  await bob.page.locator(".cm-content").focus();
  await bob.page.keyboard.press("ControlOrMeta+Home");
  for (const before of ["wide", "wide wide", "wide wide wide wide", "wide wide wide wide wide wide"]) {
    for (let tries = 0; tries < 80 && (await bobsPlace()) !== before; tries++)
      await bob.page.keyboard.press("ArrowRight");
    await alice.finds("the caret there", async () => (await alice.carets())[0]?.before === before);
    const { left, right } = await label(alice);
    expect(left).toBeGreaterThanOrEqual(column.x - 1);
    expect(right).toBeLessThanOrEqual(column.x + column.width + 1);
  }

  // a line that she scrolls to the upper edge
  await bob.page.keyboard.press("ControlOrMeta+Home");
  for (let at = 0; at < 20; at++) await bob.page.keyboard.press("ArrowDown");
  await alice.finds("the caret there", () =>
    alice.page.evaluate(() =>
      Boolean(document.querySelector(".cm-ySelectionCaret")?.closest(".cm-line")?.textContent?.includes("Line 20")),
    ),
  );
  const edge = await alice.page.evaluate(() => {
    const page = document.querySelector(".page")!;
    const caret = document.querySelector(".cm-ySelectionCaret")!;
    page.scrollTop += caret.getBoundingClientRect().top - page.getBoundingClientRect().top - 2;
    return page.getBoundingClientRect().top;
  });
  await alice.finds("the label below the caret", async () => (await label(alice)).top >= edge);

  async function bobsPlace(): Promise<string> {
    return bob.page.evaluate(() => {
      const { focusNode, focusOffset } = getSelection()!;
      return focusNode?.textContent?.slice(0, focusOffset) ?? "";
    });
  }
});

it("the name at Bob's pointer stays on Alice's page where he points at its right edge", async () => {
  const { alice, bob } = await demo.meet();
  const his = await bob.box(".page");
  await bob.page.mouse.move(his.x + his.width / 2, his.y + 300, { steps: 4 });
  await bob.page.mouse.move(his.x + his.width - 4, his.y + 300, { steps: 4 });
  const page = await alice.box(".page");
  const name = `${testId("pointer-bob")} span`;
  await alice.sees(name);
  await alice.finds("the name on the page", async () => {
    const { x, width } = await alice.box(name);
    return x + width <= page.x + page.width;
  });
});
