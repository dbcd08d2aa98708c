/**
 * The layout of a lobby: a document of shards, each written by one relay alone, and the awareness states by which the
 * relays that live vouch for theirs.
 */
import type * as Y from "yjs";
import {
  type Claim,
  type JsonObject,
  type ManualChoice,
  type AutoStatus,
  type Device,
  type UserInfo,
  asRecord,
  isRecord,
  readInfo,
  readSession,
  readTime,
} from "../presence/index.ts";

/** A session as a lobby document holds it. Times are the relay's. */
export interface LobbySession {
  readonly status: AutoStatus;
  readonly manual?: ManualChoice;
  readonly device: Device;
  readonly since: number;
  readonly rooms: readonly string[];
  readonly meta: JsonObject;
  readonly reconnecting?: true;
  readonly agent?: true;
  readonly onBehalfOf?: string;
}

/** A user as a shard holds them; one without sessions has left. */
export interface LobbyUser {
  readonly user: Omit<UserInfo, "id">;
  readonly sessions: { readonly [sessionId: string]: LobbySession };
  /** Of one who left: when they were last known to be alive. Of one who is here: when this was written. */
  readonly lastSeen: number;
}

/** Whether a value of a shard has the shape of a user. What it says of each session is read with `readShardUser`. */
export function isLobbyUser(value: unknown): value is LobbyUser {
  if (!isRecord(value)) return false;
  const { user, sessions, lastSeen } = value;
  if (!isRecord(user) || !isRecord(sessions) || typeof lastSeen !== "number") return false;
  return Object.values(sessions).every(isRecord);
}

/** The map that holds a shard: user id → user. */
export type ShardMap = Y.Map<LobbyUser>;

/** Shard id → user id → user. */
export function shardsOf(doc: Y.Doc): Y.Map<ShardMap> {
  // `@y/y`, the package of Yjs 14, has one type in the place of maps and lists [PKG-4]
  const hasMaps: boolean = "getMap" in doc;
  return hasMaps ? doc.getMap<ShardMap>("shards") : (doc.get("shards") as Y.Map<ShardMap>);
}

/** A map as it is read. In Yjs 14 its entries are attributes. */
interface ReadableMap<T> {
  get(key: string): T | undefined;
  keys(): Iterable<string>;
  getAttr?(key: string): T | undefined;
  attrKeys?(): Iterable<string>;
}

export function keysIn(map: ReadableMap<unknown> | undefined): Iterable<string> {
  return map?.attrKeys?.() ?? map?.keys() ?? [];
}

export function valueIn<T>(map: ReadableMap<T> | undefined, key: string): T | undefined {
  return map?.getAttr === undefined ? map?.get(key) : map.getAttr(key);
}

/** The state by which a relay vouches for a shard: its own, or another relay's; `lost`: of one that is not heard any more. */
export interface RelayState {
  readonly copresence: { readonly relay: { readonly shard: string; readonly startedAt: number; readonly lost?: true } };
}

/** The shard that an awareness state of a lobby vouches for, if it is a relay's. */
export function vouchedShard(state: unknown): string | null {
  const { shard } = asRecord(asRecord(asRecord(state)["copresence"])["relay"]);
  return typeof shard === "string" ? shard : null;
}

/** Whether a state that vouches for a shard says that its relay is lost: whom it names may yet come back. [BUS-17] */
export function isLostShard(state: unknown): boolean {
  return asRecord(asRecord(asRecord(state)["copresence"])["relay"])["lost"] === true;
}

/** What one shard says of a user. */
export interface ShardUser<Meta = JsonObject> {
  readonly user: UserInfo;
  readonly claims: readonly Claim<Meta>[];
  readonly lastSeen: number;
}

/** Reads a user of a shard. The type of the metadata is the application's word, not checked. */
export function readShardUser<Meta = JsonObject>(userId: string, value: unknown): ShardUser<Meta> {
  const record = asRecord(value);
  const user = readInfo(record["user"], userId);
  const claims: Claim<Meta>[] = [];
  for (const [id, session] of Object.entries(asRecord(record["sessions"]))) {
    if (!isRecord(session)) continue;
    const { rooms } = session;
    const names = Array.isArray(rooms) ? rooms.filter((room): room is string => typeof room === "string") : [];
    claims.push({ user, session: readSession<Meta>(id, session, names, null) });
  }
  return { user, claims, lastSeen: readTime(record["lastSeen"]) ?? 0 };
}
