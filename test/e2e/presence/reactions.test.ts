/** Reactions in the demo: one-off messages, at the caret and at the face of the person who sent them. */
import { expect, it } from "vitest";
import { findings } from "../demo/axe.ts";
import { Demo, avatar, testId } from "../demo/visitor.ts";

const demo = new Demo();

/** axe-core looks in four kinds of colours. */
const LOOKED_AT_MS = 180_000;

it("[MSG-1] [REACT-8] Bob reacts by the keys alone: Alice sees it at his caret and at his face, and hears it, for a moment", async () => {
  const { alice, bob } = await demo.meet();
  await bob.write("The tide was out.");
  await alice.finds("his caret", async () => (await alice.carets()).length === 1);
  await bob.page.keyboard.press("Control+.");
  await bob.sees(testId("reactions"));
  await bob.page.keyboard.press("2");
  await bob.misses(testId("reactions"));
  await alice.sees(testId("reaction-hooray"));
  const [caret, reaction] = [await alice.box(".cm-ySelectionCaret"), await alice.box(testId("reaction-hooray"))];
  expect(Math.abs(reaction.x + reaction.width / 2 - caret.x)).toBeLessThan(20);
  expect(reaction.y).toBeLessThan(caret.y);
  await alice.sees(`${avatar("bob")} .stack-reaction`);
  await alice.sees(testId("reacted"), "Bob: Hooray");
  // he sees his own, and goes on writing where he was
  await bob.sees(`${avatar("bob")} .stack-reaction`);
  await bob.write(" Gulls.");
  await alice.finds("what he wrote", async () => (await alice.lines())[0] === "The tide was out. Gulls.");
  await alice.misses(".reaction");
  await alice.misses(`${avatar("bob")} .stack-reaction`);
  expect(await alice.page.locator(testId("reacted")).textContent()).toBe("");
});

it("[MSG-1] one who has no caret reacts by the button, and the row of reactions can be used by keys", async () => {
  const { alice, bob } = await demo.meet();
  await bob.page.locator(testId("react")).click();
  await bob.sees(testId("reactions"));
  await bob.page.keyboard.press("ArrowRight");
  await bob.page.keyboard.press("ArrowRight");
  await bob.page.keyboard.press("Enter");
  await alice.sees(testId("reacted"), "Bob: Agreed");
  await bob.page.locator(testId("react")).click();
  await bob.page.keyboard.press("Escape");
  await bob.misses(testId("reactions"));
  await bob.finds("the focus back at the button", () =>
    bob.page.evaluate(() => document.activeElement?.getAttribute("data-testid") === "react"),
  );
});

it(
  "axe-core finds nothing wrong with the row of reactions, nor with one that is shown",
  async () => {
    const { alice, bob } = await demo.meet();
    await bob.write("The tide was out.");
    await alice.page.locator(testId("react")).click();
    await alice.sees(testId("reactions"));
    expect(await findings(alice.page)).toEqual([]);
    await alice.page.keyboard.press("Escape");
    await bob.page.keyboard.press("Control+.");
    await bob.page.keyboard.press("1");
    await alice.sees(testId("reaction-love"));
    expect(await findings(alice.page)).toEqual([]);
  },
  LOOKED_AT_MS,
);
