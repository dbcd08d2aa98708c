/** Settings that people make in their system: forced colours, less motion; and a screen reader. */
import { expect, it } from "vitest";
import { ownClient } from "../support.ts";
import { spawnRelay } from "./servers.ts";
import { Demo, type Visitor, avatar, testId } from "./visitor.ts";

const demo = new Demo();

/** A computed style of each element that the selector names. */
function styles({ page }: Visitor, selector: string, property: string, pseudo?: string): Promise<string[]> {
  return page
    .locator(selector)
    .evaluateAll(
      (found, [name, part]) => found.map((element) => getComputedStyle(element, part).getPropertyValue(name)),
      [property, pseudo] as const,
    );
}

it("where the system forces its colours, people are still told apart: by their colour, and by initials and borders", async () => {
  const relay = await spawnRelay();
  const bob = await demo.enter(relay, "bob");
  const carol = await demo.enter(relay, "carol");
  await bob.write("Bob was here");
  await carol.page.locator(".cm-content").focus();
  await carol.page.keyboard.press("ControlOrMeta+Home");
  const alice = await demo.enter(relay, "alice", { browser: { forcedColors: "active" } });
  await alice.finds("both carets", async () => (await alice.carets()).length === 2);
  const all = async (selector: string, property: string, pseudo?: string): Promise<number> =>
    new Set(await styles(alice, selector, property, pseudo)).size;
  expect(await all(".stack-avatar .avatar-face", "background-color")).toBe(3);
  expect(await all(".dots i", "background-color")).toBe(3);
  expect(await all(".cm-ySelectionCaret", "border-left-color")).toBe(2);
  await alice.finds("initials at carets", async () => {
    const initials = await styles(alice, ".cm-ySelectionCaret", "content", "::after");
    return initials.toSorted().join() === '"B","C"';
  });
  await alice.page.locator(testId("status-menu")).click();
  expect(await all(".swatches input", "background-color")).toBe(10);
  const outlined = await styles(alice, ".swatches input:checked", "outline-style");
  expect(outlined).not.toContain("none");
  // what a ground shows elsewhere, a border shows here
  expect(await styles(alice, ".panel", "border-top-style")).toEqual(["solid"]);
  expect(await styles(alice, ".doc[aria-current]", "outline-style")).toEqual(["solid"]);
});

it("for those who want less motion nothing moves or fades: names at carets are there, and then they are not", async () => {
  const relay = await spawnRelay();
  const still = await demo.enter(relay, "alice", { browser: { reducedMotion: "reduce" } });
  const bob = await demo.enter(relay, "bob");
  await still.sees(avatar("bob"));
  await bob.write("Good morning");
  const moving = (): Promise<number> =>
    still.page.evaluate(
      () =>
        document.getAnimations().filter(({ effect }) => {
          const frames = (effect as KeyframeEffect).getKeyframes();
          const changes = new Set(
            frames.map(({ opacity, translate, transform }) => `${opacity} ${translate} ${transform}`),
          );
          return Number(effect?.getComputedTiming().duration) > 1 && changes.size > 1;
        }).length,
    );
  await still.finds("the name", () =>
    still.page.evaluate(() => (document.querySelector(".cm-ySelectionInfo")?.getAnimations().length ?? 0) > 0),
  );
  expect(await moving()).toBe(0);
  await still.page.locator(testId("status-menu")).click();
  await bob.page.mouse.move(500, 300, { steps: 3 });
  await still.sees(testId("pointer-bob"));
  expect(await moving()).toBe(0);
});

it("a screen reader is told politely who came and went: many at once in one sentence, one sentence at a time", async () => {
  const relay = await spawnRelay(["--leave-grace", "1000"]);
  const alice = await demo.enter(relay, "alice");
  const region = testId("announcement");
  expect(await alice.page.locator(region).getAttribute("role")).toBe("status");
  const said = await alice.page.evaluateHandle((selector) => {
    const sentences: { readonly text: string; readonly at: number }[] = [];
    const element = document.querySelector(selector)!;
    const look = (): void => void sentences.push({ text: element.textContent ?? "", at: performance.now() });
    new MutationObserver(look).observe(element, { childList: true, characterData: true, subtree: true });
    return sentences;
  }, region);
  const guests = Array.from({ length: 9 }, (_, at) => {
    const presence = ownClient(relay.url, `guest${at}`);
    presence.join("field-notes");
    return presence;
  });
  await alice.finds("all of them", async () => (await alice.page.locator(".person:not(.gone)").count()) === 10);
  await alice.finds("a sentence", async () => (await said.jsonValue()).length > 0);
  guests[0]?.destroy();
  await alice.finds("his leave", async () => (await said.jsonValue()).at(-1)?.text.includes("Guest0 ") === true);
  const sentences = await said.jsonValue();
  // not one for each of ten comings and goings, twice: in the lobby and in the document
  expect(sentences.length).toBeLessThanOrEqual(4);
  expect(sentences.map(({ text }) => text).join(" ")).not.toContain("Alice");
  for (const [at, { at: time }] of sentences.entries()) {
    expect(time - (sentences[at - 1]?.at ?? -Infinity)).toBeGreaterThan(5_500);
  }
});
