import { DONE, type Task, load, roomAndFile, shown } from "./job.ts";
import { writeBytes } from "./streams.ts";
import { wholeOf } from "./update.ts";

/** Writes all that is stored of a room's document as one Yjs update. [STORE-31] */
export function exportRoom(args: readonly string[]): Task {
  const { room, file } = roomAndFile(args, "export");
  return async ({ store, address, streams }) => {
    const stored = await load(store, room);
    if (stored === null) throw new Error(`there is no document of ${shown(room)} in ${address}`);
    await writeBytes(file, wholeOf(stored), streams);
    return DONE;
  };
}
