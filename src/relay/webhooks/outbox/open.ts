/** Opens the outbox that belongs to a store's address, and loads what it takes only then. */
import { join } from "node:path";
import type { Outbox } from "../../ports/stores/outbox.ts";
import { readStoreAddress } from "../../store/open.ts";
import { MemoryOutbox } from "./memory.ts";

/**
 * @param address of the store, as `openStore` takes it: `file:FOLDER` keeps webhooks in its folder `webhooks`, all others
 * in memory
 * @throws RangeError for an address that names no store; Error when the outbox cannot be opened
 */
export async function openOutbox(address: string, options: { readonly label?: string } = {}): Promise<Outbox> {
  const found = readStoreAddress(address, options.label ?? "the store");
  // a database keeps no webhooks: there they wait in memory
  if (found.kind !== "file") return new MemoryOutbox();
  const { LevelOutbox } = await import("./level.ts");
  return LevelOutbox.open(join(found.folder, "webhooks"));
}
