/** The thread that makes one update of what is stored of a document, so that no room waits for it. */
import { parentPort } from "node:worker_threads";
import { reasonOf } from "../../util/reason.ts";
import { compactDocument } from "./compact.ts";
import { type Merged, mergeStored } from "./merge.ts";
import { type Packed, type Work, unpack } from "./packed.ts";

const NONE = new Uint8Array();

function done({ task, input }: Work): Merged {
  switch (task) {
    case "compact":
      return { update: compactDocument(input), stateVector: NONE };
    case "merge":
      return mergeStored(input);
  }
}

parentPort?.on("message", (packed: Packed) => {
  try {
    const { update, stateVector } = done(unpack(packed));
    // a copy of its own, whose memory goes back with it
    const copy = update.slice();
    parentPort?.postMessage({ update: copy, stateVector }, [copy.buffer]);
  } catch (error) {
    parentPort?.postMessage({ error: reasonOf(error) }, []);
  }
});
