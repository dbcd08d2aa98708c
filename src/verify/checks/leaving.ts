/** People who leave, are cut off, or lose their network. */
import { type Check, broken, inWords, judged, kept } from "../check.ts";
import type { Scene } from "../scene.ts";

/** A leave is seen within this time, ms: less than a grace, more than a busy machine needs. */
const AT_ONCE_MS = 2_000;
/** No dead connection is shown any longer: ping interval, time-out and grace, with a second for the way, ms: LIVE-4. */
const DEAD_MS = 29_000;
const PATIENCE_MS = 45_000;

/** How long somebody is still shown after something happened to them; null: longer than the patience. */
async function shownFor(scene: Scene, happens: "cut" | "unplug" | 1000 | 1001 | "null", limitMs: number) {
  const { alice, bob } = await scene.meet();
  if (happens === "cut") alice.cut();
  else if (happens === "unplug") alice.unplug();
  else if (happens === "null") alice.awareness.setLocalState(null);
  else alice.close(happens);
  return scene.until(() => !bob.sees(alice.id), limitMs);
}

function leave(rule: string, how: "null" | 1000 | 1001, title: string): Check {
  return {
    rule,
    title,
    abuse: null,
    seconds: 10,
    async run(scene) {
      const ms = await shownFor(scene, how, 8_000);
      if (ms === null) return broken("who has left is still shown 8 s later");
      const figures = { "gone after, ms": ms };
      return ms <= AT_ONCE_MS ? kept(figures) : broken(`who has left is still shown for ${inWords(ms)}`, figures);
    },
  };
}

export const leaving: readonly Check[] = [
  leave("LIVE-1", "null", "who says that they leave are gone at once"),
  leave("LIVE-1", 1000, "who close their connection on purpose (1000) are gone at once"),
  leave("LIVE-3", 1001, "who close their tab (1001) are gone at once"),
  {
    rule: "LIVE-2",
    title: "who are killed (their connection ends without a word) leave no ghost",
    abuse: null,
    seconds: 46,
    async run(scene) {
      const ms = await shownFor(scene, "cut", PATIENCE_MS);
      if (ms === null) return broken(`a ghost is still there after ${inWords(PATIENCE_MS)}`);
      const figures = { "gone after, ms": ms };
      return ms <= DEAD_MS ? kept(figures) : broken(`a ghost stays for ${inWords(ms)}`, figures);
    },
  },
  {
    rule: "LIVE-2",
    title: "who are cut off and come back at once were never gone",
    abuse: null,
    seconds: 12,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const since = bob.vanished.length;
      alice.cut();
      await scene.pause(500);
      const flickered = bob.vanished.slice(since).some(({ id }) => id === alice.id);
      await alice.open();
      await scene.pause(1_500);
      const wentAgain = bob.vanished.slice(since).some(({ id }) => id === alice.id);
      if (flickered || wentAgain)
        return broken("a link that fails for half a second is a leave and a join for all others");
      return kept();
    },
  },
  {
    rule: "LIVE-4",
    title: "who lose their network, of which nobody is told, are gone within 28 s",
    abuse: null,
    seconds: 46,
    async run(scene) {
      const ms = await shownFor(scene, "unplug", PATIENCE_MS);
      if (ms === null) return broken(`who have lost their network are still shown after ${inWords(PATIENCE_MS)}`);
      const figures = { "gone after, ms": ms };
      if (ms <= DEAD_MS) return kept(figures);
      return broken(`who have lost their network are shown for ${inWords(ms)}`, figures);
    },
  },
  {
    rule: "OWN-4",
    title: "who reload on another network are not shown twice",
    abuse: null,
    seconds: 46,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const state = { ...alice.awareness.getLocalState(), copresence: { session: "s_verify", status: "online" } };
      alice.awareness.setLocalState(state);
      await scene.until(() => bob.sees(alice.id, "copresence"), 500);
      alice.unplug();
      const reloaded = await scene.enter("Alice", { state });
      const backMs = await scene.until(() => bob.sees(reloaded.id), 5_000);
      if (backMs === null) return broken("who reload their page are not seen any more");
      const ms = await scene.until(() => !bob.sees(alice.id), PATIENCE_MS);
      if (ms === null) return broken(`after a reload a second cursor stays for more than ${inWords(PATIENCE_MS)}`);
      const figures = { "shown twice for, ms": ms };
      if (ms <= AT_ONCE_MS) return kept(figures);
      return judged([`after a reload a second cursor stays for ${inWords(ms)}`], figures);
    },
  },
];
