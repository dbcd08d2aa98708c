import { UsageError } from "../usage.ts";
import { DONE, type Task, shown } from "./job.ts";

/** Prints the name of each room that has a stored document, one a line. [STORE-30] */
export function list(args: readonly string[]): Task {
  if (args.length > 0) throw new UsageError(`store list takes nothing, not "${args[0]}"`);
  return async ({ store, address, say }) => {
    if (store.list === undefined) throw new Error(`the store ${address} cannot list its rooms`);
    for await (const room of store.list()) say(shown(room));
    return DONE;
  };
}
