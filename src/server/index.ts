/** The relay's HTTP API for backends: Node, Deno, Bun, workers; wherever there is `fetch`. */
export type { JsonObject, Session, Status, User, UserInfo } from "../presence/index.ts";
export { type PresenceServer, type ServerOptions, createServerClient } from "./client.ts";
export type { ServerEvent, ServerPlace } from "./events.ts";
export { ServerError } from "./request.ts";
export type * from "./types.ts";
