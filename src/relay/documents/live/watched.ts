/**
 * The structs of a document by client, where Yjs looks them up: with each struct that it integrates, and on the way to the
 * struct's place. Yjs offers no other way to stop it in the midst of an update. [DOC-16]
 */
export class WatchedClients<Structs> extends Map<number, Structs> {
  /** Called now and then while Yjs works; what it throws stops Yjs. */
  onWork: (() => void) | null = null;
  #lookups = 0;

  override get(client: number): Structs | undefined {
    if (this.onWork !== null && (++this.#lookups & (EVERY - 1)) === 0) this.onWork();
    return super.get(client);
  }
}

/** How many lookups lie between two calls: a few structs. */
const EVERY = 4;
