export type { DocumentHost, RoomDocument } from "./document.ts";
export { Documents, type StoreMetrics } from "./documents.ts";
export type { DocumentCounts } from "./memory.ts";
export { noDocument } from "./none.ts";
export { ReadOnlyDocument } from "./read-only.ts";
export { SharedDocument } from "./shared.ts";
