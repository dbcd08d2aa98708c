/** The thread that compacts documents, so that no room waits for it. */
import { parentPort } from "node:worker_threads";
import { compactDocument } from "./compact.ts";
import { type Packed, unpack } from "./packed.ts";

parentPort?.on("message", (packed: Packed) => {
  try {
    // a copy of its own, whose memory goes back with it
    const snapshot = compactDocument(unpack(packed)).slice();
    parentPort?.postMessage({ snapshot }, [snapshot.buffer]);
  } catch (error) {
    parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) }, []);
  }
});
