/** The types of y-leveldb that its `exports` do not name. */
declare module "y-leveldb" {
  import type { Doc } from "yjs";

  export class LeveldbPersistence {
    constructor(folder: string);
    storeUpdate(name: string, update: Uint8Array): Promise<number>;
    getYDoc(name: string): Promise<Doc>;
    flushDocument(name: string): Promise<unknown>;
    setMeta(name: string, key: string, value: unknown): Promise<void>;
    destroy(): Promise<void>;
  }
}
