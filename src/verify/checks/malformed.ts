/** What no client says: only tried when asked for, since a server may take harm. */
import { connect } from "node:net";
import { type Check, judged } from "../check.ts";
import { MESSAGE, awarenessMessage } from "../peer/messages.ts";
import { type Cast, undisturbed } from "./owning.ts";

/** Above the clocks of every client, also where a server makes them from the time; not so large as to be malformed. */
const FAR = 2 ** 46;
const HARM = "may end a server that does not expect it";

/** Whether the author was closed with a code after which a stock client does not come back to say it again: LIVE-7. */
async function closedForGood({ scene, mallory }: Cast, withinMs = 2_000): Promise<readonly string[]> {
  const ms = await scene.until(() => mallory.ended !== null, withinMs);
  if (ms === null) return ["the author is not told"];
  const { code } = mallory.ended ?? { code: 0 };
  if (code >= 4400 && code <= 4499) return [];
  return [`the author is closed with ${code}, connects again, and says it again, for ever`];
}

function malformed(rule: string, title: string, act: (cast: Cast) => Promise<readonly string[]>, seconds = 10): Check {
  return { rule, title, abuse: HARM, seconds, run: async (scene) => judged(await undisturbed(scene, act)) };
}

export const malformedChecks: readonly Check[] = [
  malformed("WIRE-2", "a text closes its author for good", (cast) => {
    cast.mallory.sendText("hello");
    return closedForGood(cast);
  }),
  malformed("WIRE-2", "an unknown type of message closes its author for good", (cast) => {
    cast.mallory.send(Uint8Array.of(77));
    return closedForGood(cast);
  }),
  malformed("WIRE-2", "a message that ends in the midst closes its author for good", (cast) => {
    cast.mallory.send(Uint8Array.of(MESSAGE.awareness, 200, 1, 3));
    return closedForGood(cast);
  }),
  malformed("WIRE-2", "a state that is no JSON closes its author for good", (cast) => {
    cast.mallory.say([66, FAR, "{"]);
    return closedForGood(cast);
  }),
  malformed(
    "WIRE-11",
    "of a message whose second state is malformed the first is not taken",
    async ({ scene, mallory }) => {
      mallory.say([66, FAR, JSON.stringify({ user: { id: "verify-half", name: "Half" } })], [67, FAR, "{"]);
      await scene.pause(500);
      const carol = await scene.enter("Carol");
      await scene.pause(500);
      return carol.sees(66) ? ["newcomers see somebody whom those who are there do not"] : [];
    },
  ),
  malformed("WIRE-5", "a state that is nested 5,000 deep reaches nobody", async ({ scene, bob, mallory }) => {
    mallory.say([66, 1, `{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}`]);
    await scene.pause(500);
    return bob.sees(66) ? ["everybody gets a state that is nested 5,000 deep"] : [];
  }),
  malformed("OWN-10", "nobody is five thousand people", async ({ scene, bob, mallory }) => {
    mallory.say(...Array.from({ length: 5_000 }, (_, i) => [1_000 + i, 1, "{}"] as const));
    await scene.pause(1_000);
    return bob.others.size > 100 ? [`everybody sees ${bob.others.size} people, most of whom are nobody`] : [];
  }),
  malformed(
    "LIMIT-1",
    "who send 20,000 messages at once are closed, and others notice nothing",
    async (cast) => {
      const { scene, mallory, alice, bob } = cast;
      const startedAt = performance.now();
      for (let i = 0; i < 20_000; i++) mallory.say([66, 1 + i, `{"n":${i}}`]);
      const isOver = (): boolean =>
        mallory.ended !== null || mallory.unsent === 0 || alice.ended !== null || bob.ended !== null;
      await scene.until(isOver, 10_000);
      await scene.until(() => mallory.ended !== null, 8_000);
      if (mallory.ended !== null) return [];
      return [`the server takes all of it, for ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`];
    },
    20,
  ),
  malformed(
    "WIRE-3",
    "who send a message of 64 MB are closed",
    async (cast) => {
      cast.mallory.send(awarenessMessage(new Uint8Array(64 * 2 ** 20)));
      return closedForGood(cast, 8_000);
    },
    15,
  ),
  {
    rule: "LIMIT-5",
    title: "a hundred connections that never say what they want are cut off",
    abuse: "holds a hundred connections open for 15 s",
    seconds: 20,
    async run(scene) {
      const { base } = scene.target;
      if (base.protocol === "wss:") return { verdict: "untried", why: "only for ws:// addresses" };
      const port = Number(base.port || 80);
      const sockets = Array.from({ length: 100 }, () => connect(port, base.hostname).on("error", () => {}));
      for (const socket of sockets) socket.resume();
      await scene.until(() => sockets.every(({ closed }) => closed), 15_000);
      const held = sockets.filter(({ closed }) => !closed).length;
      for (const socket of sockets) socket.destroy();
      return judged(held === 0 ? [] : [`${held} silent connections are held open, as many as anybody likes`]);
    },
  },
];
