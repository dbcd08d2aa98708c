/**
 * The folders of y-leveldb, which y-websocket's own server kept documents in (`YPERSISTENCE`). [STORE-40]
 *
 * A key is a list of texts and numbers. Those of updates are `"v1"`, the name of the document, `"update"` and a number that
 * counts; `"v1_sv"` keys hold what can be told from the updates, and `"meta"` keys what applications put there.
 */
import { ClassicLevel } from "classic-level";
import * as decoding from "lib0/decoding";
import { isLevelFolder } from "../../../relay/store/level.ts";
import { FrameError, roomFromPath } from "../../../wire/index.ts";
import { isLocked, whyNotOpened } from "../../../relay/store/level-database.ts";
import type { DocumentSource, SourceDocument } from "./document-source.ts";

const TEXT = 0;

/** @param folder one that is there: none is made */
export async function openYLeveldb(folder: string): Promise<DocumentSource> {
  if (!isLevelFolder(folder)) throw new Error(`there is no LevelDB in the folder ${folder}`);
  const db = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: "view",
    valueEncoding: "view",
  });
  try {
    await db.open();
  } catch (error) {
    const advice = isLocked(error) ? ": stop the server that writes to it" : "";
    throw new Error(`the folder ${folder} cannot be read: ${whyNotOpened(error)}${advice}`, { cause: error });
  }
  return {
    name: folder,
    documents: () => documentsOf(db),
    close: () => db.close(),
  };
}

/** The keys of one document follow each other, in the order of its updates. */
async function* documentsOf(db: ClassicLevel<Uint8Array, Uint8Array>): AsyncGenerator<SourceDocument, void> {
  let name: string | undefined;
  let updates: Uint8Array[] = [];
  for await (const [key, value] of db.iterator()) {
    const nameOfKey = documentOf(key);
    if (nameOfKey === undefined) continue;
    if (name !== undefined && nameOfKey !== name) {
      yield documentFrom(name, updates);
      updates = [];
    }
    name = nameOfKey;
    updates.push(value);
  }
  if (name !== undefined) yield documentFrom(name, updates);
}

function documentFrom(name: string, updates: readonly Uint8Array[]): SourceDocument {
  return { room: roomOf(name), read: () => Promise.resolve(updates) };
}

/** The name of the document whose update the key is of; undefined: it is of something else. */
function documentOf(key: Uint8Array): string | undefined {
  const from = decoding.createDecoder(key);
  const text = (): string | undefined =>
    decoding.hasContent(from) && decoding.readUint8(from) === TEXT ? decoding.readVarString(from) : undefined;
  if (text() !== "v1") return undefined;
  const name = text();
  return text() === "update" ? name : undefined;
}

/** That server took the path of the URL for the name as it came, percent-encoded; a relay takes what that stands for. */
function roomOf(name: string): string {
  try {
    return roomFromPath(`/${name}`);
  } catch (error) {
    if (error instanceof FrameError) return name;
    throw error;
  }
}
