/**
 * The lobby as a library: who is anywhere in an application, out of what connections say. It knows no sockets, rooms or
 * timers: keys are yours, and time comes in as `now`.
 *
 * `Directory` counts users over sessions and says who may be seen; `Shard` writes them to a Y.Doc; `Union` reads such a
 * document, of one writer or of many.
 */
export { Directory, type Effects } from "./directory.ts";
export { type LobbySession, type LobbyUser, type RelayState, type ShardMap, shardsOf, vouchedShard } from "./layout.ts";
export { type Report, Sessions } from "./sessions.ts";
export { Shard, type ShardPolicy } from "./shard.ts";
export { Union, type UnionUser, usersOf } from "./union.ts";
export type { Claim, JsonObject, ManualChoice, PresenceEvent, Session, User, UserInfo } from "../presence/index.ts";
export { readState } from "../presence/index.ts";
