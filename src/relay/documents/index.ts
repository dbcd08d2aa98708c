export type { DocumentHost, RoomDocument } from "./document.ts";
export { type DocumentCounts, Documents, type StoreMetrics } from "./documents.ts";
export { noDocument } from "./none.ts";
export { ReadOnlyDocument } from "./read-only.ts";
export { SharedDocument } from "./shared.ts";
