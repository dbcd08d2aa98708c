import { DONE, FAILED, type Job, type Task, load, roomsOf, shown } from "./job.ts";
import { reasonOf } from "../../relay/util/reason.ts";
import { examine, wholeOf } from "./update.ts";

/** How often a compaction is begun anew when a relay was first. */
const ATTEMPTS = 5;

/** Puts one snapshot in the place of each document's log. [STORE-36] */
export function compact(rooms: readonly string[]): Task {
  return async (job) => {
    let [count, failures] = [0, 0];
    for await (const room of roomsOf(rooms, job)) {
      try {
        if (await compactRoom(job, room)) count++;
      } catch (error) {
        failures++;
        job.tell(`${shown(room)} was not compacted: ${reasonOf(error)}`);
      }
    }
    job.tell(`${count} ${count === 1 ? "document" : "documents"} compacted`);
    return failures === 0 ? DONE : FAILED;
  };
}

/** Returns false where there was nothing to do. */
async function compactRoom({ store }: Job, room: string): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await load(store, room);
    if (stored === null) throw new Error("there is no such document");
    if (stored.updates.length === 0) return false;
    // a snapshot of what is damaged would hide what is wrong, and where
    const found = examine(stored);
    if (found.kind === "damaged") throw new Error(found.reason);
    if (await store.compact(room, wholeOf(stored), stored.position)) return true;
  }
  throw new Error(`others compacted it meanwhile, ${ATTEMPTS} times`);
}
