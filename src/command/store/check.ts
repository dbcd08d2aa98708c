import { DONE, FAILED, type Job, type Task, load, roomsOf, shown } from "./job.ts";
import { reasonOf } from "../../relay/util/reason.ts";
import { examine } from "./update.ts";

/** Reads each document, and says which of them are damaged. [STORE-34] */
export function check(rooms: readonly string[]): Task {
  return async (job) => {
    let [count, damaged] = [0, 0];
    for await (const room of roomsOf(rooms, job)) {
      count++;
      const reason = await damageOf(job, room);
      if (reason === null) continue;
      damaged++;
      job.say(`${shown(room)}: ${reason}`);
    }
    job.tell(`${count} ${count === 1 ? "document" : "documents"} read, ${damaged} damaged`);
    return damaged === 0 ? DONE : FAILED;
  };
}

async function damageOf({ store }: Job, room: string): Promise<string | null> {
  try {
    const stored = await load(store, room);
    if (stored === null) return "there is no such document";
    const found = examine(stored);
    switch (found.kind) {
      case "damaged":
        return found.reason;
      case "incomplete":
        return "it builds on updates that are not there";
      case "sound":
        return null;
    }
  } catch (error) {
    return reasonOf(error);
  }
}
