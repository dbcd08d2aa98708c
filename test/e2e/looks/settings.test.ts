/** Settings that people make in their system: forced colours, less motion; and a screen reader. */
import { expect, it } from "vitest";
import { ownClient } from "../../support.ts";
import { spawnRelay } from "../demo/servers.ts";
import { Demo, type Visitor, avatar, testId } from "../demo/visitor.ts";

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
  for (const [selector, property, count] of [
    [".stack-avatar .avatar-face", "background-color", 3],
    [".dots i", "background-color", 3],
    [".cm-ySelectionCaret", "border-left-color", 2],
  ] as const) {
    await alice.finds(`${count} colours of ${selector}`, async () => (await all(selector, property)) === count);
  }
  await alice.finds("initials at carets", async () => {
    const initials = await styles(alice, ".cm-ySelectionCaret", "content", "::after");
    return initials.toSorted().join() === '"B","C"';
  });
  await alice.page.locator(testId("status-menu")).click();
  await alice.finds("ten swatches", async () => (await all(".swatches input", "background-color")) === 10);
  const outlined = await styles(alice, ".swatches input:checked", "outline-style");
  expect(outlined).not.toContain("none");
  // what a ground shows elsewhere, a border shows here
  expect(await styles(alice, ".panel", "border-top-style")).toEqual(["solid"]);
  expect(await styles(alice, ".doc[aria-current]", "outline-style")).toEqual(["solid"]);
});

/** Classes of elements that were animated: with what changed by and by, or with what stayed as it was until it ended. */
interface Animated {
  readonly changed: string[];
  readonly stayed: string[];
}

interface Animations {
  /** Since the last `next`, or the beginning. */
  seen(): Promise<Animated>;
  /** Forgets the others: those of the next two frames alone. */
  next(): Promise<Animated>;
}

/** From now on looks at each frame what is animated. */
async function watchAnimations({ page }: Visitor): Promise<Animations> {
  const handle = await page.evaluateHandle(() => {
    const timing = new Set(["offset", "computedOffset", "easing", "composite"]);
    const valuesOf = (frame: ComputedKeyframe): string =>
      JSON.stringify(Object.entries(frame).filter(([property]) => !timing.has(property)));
    const [changed, stayed] = [new Set<string>(), new Set<string>()];
    const look = (): void => {
      for (const { effect } of document.getAnimations()) {
        if (!(effect instanceof KeyframeEffect) || Number(effect.getComputedTiming().duration) <= 1) continue;
        const values = new Set(effect.getKeyframes().map(valuesOf));
        (values.size > 1 ? changed : stayed).add(effect.target?.className ?? "");
      }
      requestAnimationFrame(look);
    };
    look();
    return { changed, stayed };
  });
  const seen = (): Promise<Animated> =>
    handle.evaluate(({ changed, stayed }) => ({ changed: [...changed], stayed: [...stayed] }));
  const next = async (): Promise<Animated> => {
    await handle.evaluate(async ({ changed, stayed }) => {
      changed.clear();
      stayed.clear();
      await new Promise((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(resolve));
      });
    });
    return seen();
  };
  return { seen, next };
}

const NAME = "cm-ySelectionInfo";

it("for those who want less motion nothing moves or fades: names at carets are there, and then they are not", async () => {
  const relay = await spawnRelay();
  const still = await demo.enter(relay, "alice", { browser: { reducedMotion: "reduce" } });
  const animations = await watchAnimations(still);
  const bob = await demo.enter(relay, "bob");
  await still.sees(avatar("bob"));
  await bob.write("Good morning");
  await still.finds("the name", async () => (await animations.seen()).stayed.includes(NAME));
  await still.page.locator(testId("status-menu")).click();
  await bob.page.mouse.move(500, 300, { steps: 3 });
  await still.sees(testId("pointer-bob"));
  expect((await animations.seen()).changed).toEqual([]);
  await still.finds("no name", async () => !(await animations.next()).stayed.includes(NAME));
});

it("a name that fades when Alice asks for less motion fades no further, and goes when it would have gone", async () => {
  const { alice, bob } = await demo.meet();
  // a fade that is so slow is not over before she has asked
  await alice.page.evaluate(() => {
    const animate: (this: Element, ...how: Parameters<Element["animate"]>) => Animation = Reflect.get(
      Element.prototype,
      "animate",
    );
    Element.prototype.animate = function slowly(...how) {
      const animation = animate.apply(this, how);
      animation.playbackRate = 0.01;
      return animation;
    };
  });
  const animations = await watchAnimations(alice);
  await bob.write("Good morning");
  await alice.finds("his words", async () => (await alice.carets())[0]?.before === "Good morning");
  await alice.finds("the fading name", async () => (await animations.next()).changed.includes(NAME));
  await alice.page.emulateMedia({ reducedMotion: "reduce" });
  await alice.finds("the page at rest", async () => (await animations.next()).changed.length === 0);
  expect((await animations.next()).stayed).toContain(NAME);
  await alice.page.evaluate(() => {
    for (const animation of document.getAnimations()) animation.playbackRate = 1;
  });
  await alice.finds("no name", async () => !(await animations.next()).stayed.includes(NAME));
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
