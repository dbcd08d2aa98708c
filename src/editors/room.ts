import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";

/** A room, or what a stock provider has: `{ doc, awareness, provider }` of y-websocket will do. */
export interface EditorRoom {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly provider: {
    /** Whether the document is as the server has it. */
    readonly synced: boolean;
    on(name: "sync", listener: (synced: boolean) => void): unknown;
    off(name: "sync", listener: (synced: boolean) => void): unknown;
  };
}
