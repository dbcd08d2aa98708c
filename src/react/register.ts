import type { JsonObject } from "../presence/index.ts";

/**
 * Your application's metadata, for all hooks at once:
 *
 * ```ts
 * import "copresence/react"; // in a file without any import, the declaration would replace the module
 *
 * declare module "copresence/react" {
 *   interface Register {
 *     meta: { page: string };
 *     roomMeta: { line: number };
 *   }
 * }
 * ```
 */
export interface Register {}

/** The metadata of sessions in the lobby. */
export type Meta = Register extends { readonly meta: infer M } ? M : JsonObject;
/** The metadata of sessions in a room. */
export type RoomMeta = Register extends { readonly roomMeta: infer M } ? M : JsonObject;
