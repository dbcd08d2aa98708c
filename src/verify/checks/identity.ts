/** Who somebody is: tried where tokens, or the origin of the pages, are given. */
import { type Check, judged } from "../check.ts";
import type { Arrival, Scene } from "../scene.ts";

const SETTLE_MS = 1_000;

/** Whether somebody who comes so is seen by Bob. */
async function isLetIn(scene: Scene, arrival: Arrival): Promise<boolean> {
  const bob = await scene.enter("Bob");
  const stranger = scene.invite("Mallory", arrival);
  await stranger.open().catch(() => {});
  const ms = await scene.until(() => bob.sees(stranger.id), SETTLE_MS);
  return ms !== null;
}

/** The same claims, signed by nobody. */
function unsigned(token: string): string {
  const [, claims = ""] = token.split(".");
  return `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.`;
}

/** The same token with another signature. */
function tampered(token: string): string {
  const last = token.at(-2) === "A" ? "B" : "A";
  return `${token.slice(0, -2)}${last}${token.at(-1) ?? ""}`;
}

function comesIn(title: string, arrivalOf: (token: string) => Arrival): Check {
  return {
    rule: "AUTH-1",
    title,
    abuse: null,
    seconds: 5,
    needs: "tokens",
    async run(scene) {
      const token = scene.target.tokens.at(-1) ?? "";
      return judged((await isLetIn(scene, arrivalOf(token))) ? ["strangers are let in, and shown"] : []);
    },
  };
}

export const identity: readonly Check[] = [
  comesIn("who bring no token are not let in", () => ({ token: null })),
  comesIn("who bring something else than a token are not let in", () => ({ token: "something-else" })),
  comesIn("who bring a token with another signature are not let in", (token) => ({ token: tampered(token) })),
  comesIn("who bring a token without a signature are not let in", (token) => ({ token: unsigned(token) })),
  {
    rule: "ID-1",
    title: "nobody passes for somebody else",
    abuse: null,
    seconds: 8,
    needs: "tokens",
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const mallory = await scene.enter("Mallory", { state: alice.awareness.getLocalState() });
      await scene.until(() => bob.sees(mallory.id), SETTLE_MS);
      const userIn = (id: number): unknown => bob.others.get(id)?.["user"];
      const idOf = (user: unknown): unknown => (user as { readonly id?: unknown } | undefined)?.id;
      const isTwice = idOf(userIn(mallory.id)) === idOf(userIn(alice.id));
      return judged(isTwice ? ["there are two Alices, of whom one is somebody else"] : []);
    },
  },
  {
    rule: "ID-1",
    title: "nobody takes over somebody else's client id by saying that they are them",
    abuse: null,
    seconds: 8,
    needs: "tokens",
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const mallory = await scene.enter("Mallory", { state: null });
      await scene.pause(SETTLE_MS);
      mallory.say([alice.id, 2 ** 46, JSON.stringify({ ...alice.awareness.getLocalState(), cursor: "forged" })]);
      await scene.pause(SETTLE_MS);
      const isForged = bob.sees(alice.id, "cursor", "forged");
      return judged(isForged ? ["somebody's cursor is where somebody else put it"] : []);
    },
  },
  {
    rule: "AUTH-9",
    title: "pages of another site do not connect in their visitors' names",
    abuse: null,
    seconds: 5,
    needs: "origin",
    async run(scene) {
      return judged(
        (await isLetIn(scene, { origin: "https://evil.example" })) ? ["any page on the web may connect"] : [],
      );
    },
  },
];
