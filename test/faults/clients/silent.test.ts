/** A link that dies in silence, with what the relay uses unless it is told otherwise. */
import { it } from "vitest";
import { dieInSilence } from "./silent.ts";

it("[LIVE-4] [USER-7] a link that dies in silence is gone everywhere within 28 s of its last sign of life", async ({
  annotate,
}) => {
  await annotate(await dieInSilence([], 28_000));
}, 60_000);
