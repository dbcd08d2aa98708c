import { UsageError } from "../usage.ts";
import { DONE, FAILED, type Task, shown } from "./job.ts";

/** Deletes the documents of rooms. [STORE-35] */
export function deleteRooms(rooms: readonly string[]): Task {
  if (rooms.length === 0) throw new UsageError("store delete needs the name of a room");
  return async ({ store, address, tell }) => {
    if (store.delete === undefined) throw new Error(`the store ${address} cannot delete documents`);
    let code = DONE;
    for (const room of rooms) {
      if (await store.delete(room)) continue;
      tell(`there is no document of ${shown(room)} in ${address}`);
      code = FAILED;
    }
    return code;
  };
}
