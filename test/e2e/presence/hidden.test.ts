/** Pages that the browser itself hides and freezes. */
import { expect, it, onTestFinished } from "vitest";
import { pause } from "../../support.ts";
import { ARRIVED, Demo, type Visitor, person } from "../demo/visitor.ts";

const demo = new Demo();

interface HiddenPage {
  readonly alice: Visitor;
  /** At the window with tabs. */
  readonly bob: Visitor;
  /** He looks at another tab. */
  readonly stepOut: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
}

async function meet(hiddenMs: number, flags: readonly string[] = []): Promise<HiddenPage> {
  const context = demo.chromium.window;
  const { alice, bob } = await demo.meet(flags, { context, query: { hiddenMs: String(hiddenMs) } });
  onTestFinished(() => bob.page.close());
  const other = await context.newPage();
  onTestFinished(() => other.close());
  const show = async (page: Visitor["page"], bobs: DocumentVisibilityState): Promise<void> => {
    await page.bringToFront();
    await bob.finds(bobs, () => bob.page.evaluate((state) => document.visibilityState === state, bobs));
  };
  const comeBack = (): Promise<void> => show(bob.page, "visible");
  await comeBack();
  return { alice, bob, comeBack, stepOut: () => show(other, "hidden") };
}

it("[ACT-1] [ACT-2] [ACT-3] [LIVE-8] Bob looks elsewhere: soon back, nobody noticed; else he is away, though his page be frozen never gone, and online at once when he returns", async () => {
  // who does not answer a ping is gone within 3 s
  const flags = ["--ping-interval", "1000", "--ping-timeout", "1000", "--leave-grace", "1000"];
  const { alice, bob, stepOut, comeBack } = await meet(3_000, flags);
  const status = await alice.watchAttribute(person("bob"), "data-status");
  const reconnecting = await alice.watchAttribute(person("bob"), "data-reconnecting");
  for (let round = 1; round <= 2; round++) {
    await stepOut();
    await pause(500);
    await comeBack();
  }
  await pause(3_000);
  expect(await status()).toEqual(["online"]);

  const log = await bob.page.evaluateHandle(() => {
    const entries: string[] = [];
    for (const type of ["freeze", "resume"]) document.addEventListener(type, () => entries.push(type));
    setInterval(() => entries.push("tick"), 500);
    return entries;
  });
  const left = Date.now();
  await stepOut();
  await alice.sees(person("bob", { status: "away" }));
  expect(Date.now() - left).toBeGreaterThan(3_000);
  const devtools = await bob.page.context().newCDPSession(bob.page);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  await pause(6_000);
  expect(await status()).toEqual(["online", "away"]);
  expect(await reconnecting()).toEqual(["false"]);

  const returned = Date.now();
  await comeBack();
  await alice.sees(person("bob", { status: "online" }));
  // at once: not with the next renewal
  expect(Date.now() - returned).toBeLessThan(4_000);
  await bob.isLive();
  await bob.write("Good morning");
  await alice.finds("what he writes", async () => (await alice.lines())[0] === "Good morning");
  expect(await status()).toEqual(["online", "away", "online"]);
  expect(await alice.comings("bob")).toEqual(ARRIVED);
  // he was frozen indeed: his timers stood still
  const said = await log.jsonValue();
  const frozen = said.slice(said.indexOf("freeze"), said.indexOf("resume") + 1);
  expect(frozen.length).toBeGreaterThan(1);
  expect(frozen.length).toBeLessThan(5);
});
