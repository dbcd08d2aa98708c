/** People who come back after their connection was lost: whom they see, and who sees them. */
import { type Check, broken, inWords, judged, kept } from "../check.ts";
import type { Scene } from "../scene.ts";

/** A round trip over a slow network, ms. Who has to wait for a renewal waits for up to 15 s. */
const ROUND_TRIP_MS = 2_000;
const PATIENCE_MS = 20_000;
const OFFLINE_MS = 300;
/** Above the clocks of every client, also where a server makes them from the time; not so large as to be malformed. */
const FAR = 2 ** 46;

/** Alice is cut off, and comes back to Bob, who does nothing. */
async function comesBack(scene: Scene) {
  const { alice, bob } = await scene.meet();
  alice.cut();
  await scene.pause(OFFLINE_MS);
  await alice.open();
  return { alice, bob };
}

export const returning: readonly Check[] = [
  {
    rule: "LIVE-10",
    title: "who come back see at once everybody who is there",
    abuse: null,
    seconds: 25,
    async run(scene) {
      const { alice, bob } = await comesBack(scene);
      const ms = await scene.until(() => alice.sees(bob.id), PATIENCE_MS);
      if (ms === null) return broken(`who come back see nobody for more than ${inWords(PATIENCE_MS)}`);
      const figures = { "sees others after, ms": ms };
      return ms <= ROUND_TRIP_MS ? kept(figures) : broken(`who come back see nobody for ${inWords(ms)}`, figures);
    },
  },
  {
    rule: "LIVE-10",
    title: "who come back are seen at once by everybody who is there",
    abuse: null,
    seconds: 25,
    async run(scene) {
      const { alice, bob } = await comesBack(scene);
      const ms = await scene.until(() => bob.sees(alice.id), PATIENCE_MS);
      if (ms === null) return broken(`who come back are not seen for more than ${inWords(PATIENCE_MS)}`);
      const figures = { "is seen after, ms": ms };
      return ms <= ROUND_TRIP_MS ? kept(figures) : broken(`who come back are not seen for ${inWords(ms)}`, figures);
    },
  },
  {
    rule: "ID-3",
    title: "nobody takes the client id of somebody who is reconnecting",
    abuse: null,
    seconds: 15,
    async run(scene) {
      const { bob } = await scene.meet();
      const mallory = await scene.enter("Mallory", { state: null });
      const carol = await scene.enter("Carol");
      await scene.until(() => bob.sees(carol.id), ROUND_TRIP_MS);
      carol.cut();
      await scene.pause(OFFLINE_MS);
      mallory.say([carol.id, FAR, JSON.stringify({ user: { id: "verify-mallory", name: "Mallory" } })]);
      await scene.pause(OFFLINE_MS);
      await carol.open();
      await scene.pause(ROUND_TRIP_MS);
      const user = bob.others.get(carol.id)?.["user"] as { readonly name?: string } | undefined;
      return judged(user?.name === "Carol" ? [] : ["who come back are not seen, since somebody else took their place"]);
    },
  },
];
