export type { DocumentHost, RoomDocument } from "./document.ts";
export { type DocumentCounts, Documents } from "./documents.ts";
export { noDocument } from "./none.ts";
export { ReadOnlyDocument } from "./read-only.ts";
export { SharedDocument } from "./shared.ts";
