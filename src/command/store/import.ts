import { UsageError } from "../usage.ts";
import { DONE, FAILED, type Job, type Task, checkedRoom, load, roomAndFile, shown } from "./job.ts";
import { reasonOf } from "../../relay/util/reason.ts";
import type { DocumentSource } from "./sources/document-source.ts";
import { readSource } from "./sources/source.ts";
import { readBytes } from "./streams.ts";
import { examine, merged } from "./update.ts";

/**
 * Adds an update to the document of a room [STORE-32], or the documents of another store to those of this one.
 *
 * @param from what `--from` names
 */
export function importRooms(args: readonly string[], from: string | undefined): Task {
  if (from !== undefined) {
    const open = readSource(from);
    return async (job) => {
      const source = await open();
      try {
        return await importAll(job, source, args);
      } finally {
        await source.close();
      }
    };
  }
  const { room, file } = roomAndFile(args, "import");
  return async (job) => {
    const update = await readBytes(file, job.streams);
    if (examine({ snapshot: null, updates: [update] }).kind === "damaged") {
      throw new Error(`${file === undefined ? "what was read" : shown(file)} is no Yjs update (version 1)`);
    }
    await add(job, room, [update]);
    return DONE;
  };
}

/** Takes what it can: a document that cannot be taken is reported, and the others are taken all the same. [STORE-33] */
async function importAll(job: Job, source: DocumentSource, named: readonly string[]): Promise<number> {
  const missing = new Set(named);
  let [count, failures] = [0, 0];
  for await (const { room, read } of source.documents()) {
    if (named.length > 0 && !missing.delete(room)) continue;
    try {
      await add(job, checkedRoom(room), await read());
      count++;
    } catch (error) {
      if (!isAboutOne(error)) throw error;
      failures++;
      job.tell(`${shown(room)} was not imported: ${reasonOf(error)}`);
    }
  }
  for (const room of missing) job.tell(`${shown(room)} was not imported: there is no such document in ${source.name}`);
  job.tell(`${count} ${count === 1 ? "document" : "documents"} imported from ${source.name}`);
  return failures + missing.size === 0 ? DONE : FAILED;
}

/** What is wrong with one document, and not with the store. */
class Unusable extends Error {}

function isAboutOne(error: unknown): boolean {
  return error instanceof Unusable || error instanceof UsageError;
}

async function add({ store, tell }: Job, room: string, updates: readonly Uint8Array[]): Promise<void> {
  const found = examine({ snapshot: null, updates });
  if (found.kind === "damaged") throw new Unusable(found.reason);
  if (found.kind === "incomplete") {
    // what is missing may be there already
    const { snapshot = null, updates: known = [] } = (await load(store, room)) ?? {};
    if (examine({ snapshot, updates: [...known, ...updates] }).kind === "incomplete") {
      tell(`${shown(room)} is not complete: it builds on updates that are not there, and shows less until they come`);
    }
  }
  await store.append(room, [merged(updates)]);
  // [STORE-44] what is brought in now was not unused for long
  await store.touch?.([room], Date.now());
}
