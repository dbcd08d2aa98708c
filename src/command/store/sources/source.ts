/** Stores of others, and of ours, that documents are imported from. */
import { openStore, readStoreAddress } from "../../../relay/store/open.ts";
import { UsageError, usage } from "../../usage.ts";
import { load } from "../job.ts";
import { wholeOf } from "../update.ts";
import type { DocumentSource } from "./document-source.ts";

const FORMS = '"y-leveldb:FOLDER", "hocuspocus-sqlite:FILE", or the address of another store';

/** Reads what `--from` names; what it gives opens that. Throws a `UsageError` for what is none of the forms. */
export function readSource(from: string): () => Promise<DocumentSource> {
  const [, kind, path] = /^(y-leveldb|hocuspocus-sqlite|file|postgres|postgresql):(.+)$/s.exec(from) ?? [];
  if (kind === undefined || path === undefined) throw new UsageError(`--from must be ${FORMS}`);
  if (kind === "y-leveldb") return async () => (await import("./y-leveldb.ts")).openYLeveldb(path);
  if (kind === "hocuspocus-sqlite")
    return async () => (await import("./hocuspocus-sqlite.ts")).openHocuspocusSqlite(path);
  usage(() => readStoreAddress(from, "--from"));
  return () => openOwn(from);
}

/** A store of ours. */
async function openOwn(from: string): Promise<DocumentSource> {
  const store = await openStore(from, { create: false, label: "--from" });
  if (store === null) throw new UsageError(`--from must be ${FORMS}`);
  const name = from.startsWith("file:") ? from : "the other database";
  return {
    name,
    documents: async function* () {
      for await (const room of store.list?.() ?? []) {
        const read = async (): Promise<readonly Uint8Array[]> => {
          const stored = await load(store, room);
          return stored === null ? [] : [wholeOf(stored)];
        };
        yield { room, read };
      }
    },
    close: async () => await store.close?.(),
  };
}
