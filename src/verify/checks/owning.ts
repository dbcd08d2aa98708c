/** What somebody says of others: that they are gone, are elsewhere, are back. */
import { type Check, judged, untried } from "../check.ts";
import type { Peer } from "../peer/peer.ts";
import type { Scene } from "../scene.ts";

/** Above the clocks of every client, also where a server makes them from the time; not so large as to be malformed. */
const FAR = 2 ** 46;
const LAST_CLOCK = 2 ** 53 - 2;
const SETTLE_MS = 700;

/** Alice and Bob as they are before somebody does something, and what they notice of it. */
export async function undisturbed(
  scene: Scene,
  act: (cast: Cast) => Promise<readonly string[] | void>,
): Promise<string[]> {
  const { alice, bob } = await scene.meet();
  const mallory = await scene.enter("Mallory");
  await scene.until(() => bob.sees(mallory.id), SETTLE_MS);
  alice.set("cursor", 1);
  await scene.until(() => bob.sees(alice.id, "cursor", 1), SETTLE_MS);
  const since = bob.vanished.length;
  const told = (await act({ scene, alice, bob, mallory })) ?? [];
  await scene.pause(SETTLE_MS);
  const noticed = [...told];
  if (alice.ended !== null || bob.ended !== null) return [...noticed, "others are disconnected"];
  if (bob.vanished.slice(since).some(({ id }) => id === alice.id))
    noticed.push("somebody who is there is shown as gone");
  else if (bob.sees(alice.id, "cursor", "forged")) noticed.push("somebody's cursor is where somebody else put it");
  if (!alice.sees(bob.id)) noticed.push("others are gone");
  alice.set("cursor", 2);
  const goesOn = await scene.until(() => bob.sees(alice.id, "cursor", 2), SETTLE_MS);
  if (goesOn === null) noticed.push("what somebody does is not seen any more");
  return noticed;
}

export interface Cast {
  readonly scene: Scene;
  readonly alice: Peer;
  readonly bob: Peer;
  readonly mallory: Peer;
}

function attack(rule: string, title: string, act: (cast: Cast) => Promise<readonly string[] | void>): Check {
  return { rule, title, abuse: null, seconds: 15, run: async (scene) => judged(await undisturbed(scene, act)) };
}

const forged = (alice: Peer): string => JSON.stringify({ ...alice.awareness.getLocalState(), cursor: "forged" });

export const owning: readonly Check[] = [
  attack("OWN-1", "nobody removes anybody else", async ({ alice, bob, mallory }) => {
    mallory.say([alice.id, FAR, "null"], [bob.id, FAR, "null"]);
  }),
  attack("OWN-1", "a tab that drops does not remove those that it heard of", async ({ scene, alice, bob, mallory }) => {
    // y-websocket tabs tell a sibling over BroadcastChannel that others are gone, and the sibling tells the server
    await scene.until(() => mallory.sees(alice.id), SETTLE_MS);
    const clockOf = (id: number): number => mallory.awareness.meta.get(id)?.clock ?? 0;
    mallory.say([alice.id, clockOf(alice.id), "null"], [bob.id, clockOf(bob.id), "null"]);
  }),
  attack("OWN-1", "nobody moves anybody else's cursor", async ({ alice, mallory }) => {
    mallory.say([alice.id, FAR, forged(alice)]);
  }),
  attack("OWN-1", "nobody uses up anybody else's clock", async ({ alice, mallory }) => {
    mallory.say([alice.id, LAST_CLOCK, forged(alice)]);
  }),
  {
    rule: "OWN-6",
    title: "nobody brings back somebody who has left",
    abuse: null,
    seconds: 15,
    async run(scene) {
      const { bob } = await scene.meet();
      const mallory = await scene.enter("Mallory");
      const carol = await scene.enter("Carol");
      await scene.until(() => bob.sees(carol.id) && mallory.sees(carol.id), SETTLE_MS);
      const state = JSON.stringify(carol.awareness.getLocalState());
      carol.awareness.setLocalState(null);
      carol.close();
      await scene.until(() => !bob.sees(carol.id), SETTLE_MS);
      // her connection is over, too
      await scene.pause(SETTLE_MS);
      mallory.say([carol.id, FAR, state]);
      await scene.pause(SETTLE_MS);
      return judged(bob.sees(carol.id) ? ["who has left is shown again, as a ghost"] : []);
    },
  },
  {
    rule: "OWN-6",
    title: "an echo that comes late brings nobody back",
    abuse: null,
    seconds: 15,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const { id, clock } = alice;
      const state = JSON.stringify(alice.awareness.getLocalState());
      alice.close();
      if ((await scene.until(() => !bob.sees(id), 2_000)) === null) return untried("who has left is still shown");
      const carol = await scene.enter("Carol");
      const heard = bob.awareness.meta.get(id)?.clock ?? clock;
      bob.say([id, heard, state]);
      await scene.pause(SETTLE_MS);
      return judged(carol.sees(id) ? ["who has just left is shown again, as a ghost"] : []);
    },
  },
];
