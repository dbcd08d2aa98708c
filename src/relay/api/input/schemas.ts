/** What callers may say, in the address and in the body. */
import * as v from "valibot";
import {
  type AutoStatus,
  type Device,
  MAX_ID_LENGTH,
  MAX_INFO_LENGTHS,
  type Status,
  type UserInfo,
  isRecord,
  readUserId,
} from "../../../presence/index.ts";
import { MAX_BAN_MS } from "../../cluster/kicks.ts";
import { MAX_ROOM_LENGTH, MAX_TYPE_LENGTH, isMessageType, isRoomName, lobbyRoom } from "../../../wire/index.ts";

/** What is read of an unknown value. */
export type Reads<T> = v.GenericSchema<unknown, T>;

/** Most users or rooms that one request asks for. [API-9] */
export const MAX_ITEMS: number = 1_000;
const DEFAULT_LIMIT = 100;
/** Longest time that a member set by a server lasts without being set anew: a day, ms. */
export const MAX_TTL_MS: number = 86_400_000;
export const MAX_DRAIN_MS = 3_600_000;
/** Shortest time to live: somebody has to have time to see it. */
export const MIN_TTL_MS: number = 1_000;

const STATUSES = ["online", "away", "busy", "dnd", "offline"] as const;

const name = (what: string) =>
  v.pipe(v.string(), v.nonEmpty(`${what} is empty`), v.maxLength(MAX_ROOM_LENGTH, `${what} is too long`));
const lobby = v.pipe(
  v.string(),
  v.check((value) => isRoomName(lobbyRoom(value)), "no name of a lobby"),
);
const userId = v.pipe(
  v.string(),
  v.check((id) => id !== "" && id.length <= MAX_ID_LENGTH, `an id has 1 to ${MAX_ID_LENGTH} characters`),
);
const wholeNumber = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, "not a whole number"),
    v.transform(Number),
    v.minValue(least, `less than ${least}`),
    v.maxValue(most, `more than ${most}`),
  );
const yesOrNo = v.pipe(
  v.picklist(["true", "false"], "neither true nor false"),
  v.transform((value) => value === "true"),
);
const listBy = <Item extends v.GenericSchema<string, unknown>>(item: Item) =>
  v.pipe(
    v.string(),
    v.transform((value) => value.split(",")),
    v.array(item),
    v.maxLength(MAX_ITEMS, `more than ${MAX_ITEMS}`),
  );
const page = {
  limit: v.optional(wholeNumber(1, MAX_ITEMS), String(DEFAULT_LIMIT)),
  cursor: v.optional(v.pipe(v.string(), v.maxLength(4 * MAX_ROOM_LENGTH, "too long"))),
};

const lobbyEntry = { lobby: v.optional(lobby) };

export interface InLobby {
  readonly lobby?: string | undefined;
}
export const inLobby: Reads<InLobby> = v.strictObject(lobbyEntry);

/** What the inspector lists besides numbers. */
export const LISTED = ["rooms", "sockets", "none"] as const;
export const inspectQuery: Reads<{ readonly list?: (typeof LISTED)[number] | undefined }> = v.strictObject({
  list: v.optional(v.picklist(LISTED, `none of ${LISTED.join(", ")}`)),
});

interface Paged extends InLobby {
  readonly limit: number;
  readonly cursor?: string | undefined;
}
export interface UsersQuery extends Paged {
  readonly ids?: readonly string[] | undefined;
  readonly status?: readonly Status[] | undefined;
}
export const usersQuery: Reads<UsersQuery> = v.strictObject({
  ...lobbyEntry,
  ...page,
  ids: v.optional(listBy(userId)),
  status: v.optional(listBy(v.picklist(STATUSES, `none of ${STATUSES.join(", ")}`))),
});
export interface RoomsQuery extends Paged {
  readonly prefix?: string | undefined;
}
export const roomsQuery: Reads<RoomsQuery> = v.strictObject({
  ...lobbyEntry,
  ...page,
  prefix: v.optional(name("the prefix")),
});

export interface RoomQuery extends InLobby {
  readonly people: boolean;
}
export const roomQuery: Reads<RoomQuery> = v.strictObject({ ...lobbyEntry, people: v.optional(yesOrNo, "true") });

export interface EventsQuery extends InLobby {
  readonly room?: string | undefined;
  readonly prefix?: string | undefined;
  readonly user?: string | undefined;
}
export const eventsQuery: Reads<EventsQuery> = v.strictObject({
  ...lobbyEntry,
  room: v.optional(name("the room")),
  prefix: v.optional(name("the prefix")),
  user: v.optional(userId),
});

export const nothing: Reads<object> = v.strictObject({});

export interface DrainBody {
  readonly overMs?: number | undefined;
}
export const drainBody: Reads<DrainBody> = v.strictObject({
  overMs: v.optional(
    v.pipe(
      v.number(),
      v.integer("not a whole number"),
      v.minValue(0, "less than 0"),
      v.maxValue(MAX_DRAIN_MS, "more than an hour"),
    ),
  ),
});

export interface MessageBody {
  readonly type: string;
  readonly payload: unknown;
}
export const messageBody: Reads<MessageBody> = v.strictObject({
  type: v.pipe(
    v.string(),
    v.check((value: string) => isMessageType(value), `a type has 1 to ${MAX_TYPE_LENGTH} characters`),
  ),
  payload: v.optional(v.unknown(), null),
});

export interface UsersBatch {
  readonly ids: readonly string[];
}
export const usersBatch: Reads<UsersBatch> = v.strictObject({
  ids: v.pipe(v.array(userId), v.maxLength(MAX_ITEMS, `more than ${MAX_ITEMS}`)),
});

export interface RoomsBatch {
  readonly rooms: readonly string[];
  readonly people: boolean;
}
export const roomsBatch: Reads<RoomsBatch> = v.strictObject({
  rooms: v.pipe(v.array(name("the name of a room")), v.maxLength(MAX_ITEMS, `more than ${MAX_ITEMS}`)),
  people: v.optional(v.boolean(), false),
});

const code = v.pipe(
  v.number(),
  v.integer("not a whole number"),
  v.check((value) => value === 1012 || (value >= 4000 && value <= 4999), "neither 1012 nor from 4000 to 4999"),
);
export interface DisconnectBody {
  readonly reason?: string | undefined;
  readonly code?: number | undefined;
  readonly forMs?: number | undefined;
}
export const disconnectBody: Reads<DisconnectBody> = v.strictObject({
  reason: v.optional(v.pipe(v.string(), v.maxLength(123, "longer than 123 characters"))),
  code: v.optional(code),
  forMs: v.optional(
    v.pipe(
      v.number(),
      v.integer("not a whole number"),
      v.minValue(0, "less than 0"),
      v.maxValue(MAX_BAN_MS, "more than a year"),
    ),
  ),
});

const text = (key: keyof typeof MAX_INFO_LENGTHS) => {
  const most = MAX_INFO_LENGTHS[key];
  return v.optional(v.pipe(v.string(), v.maxLength(most, `longer than ${most} characters`)));
};
const usableId = v.pipe(
  v.string(),
  v.check(
    (id) => readUserId(id) !== undefined,
    `no usable id: 1 to ${MAX_ID_LENGTH} characters, well-formed, not beginning with guest:`,
  ),
);
// an array is an object to the library
const jsonObject = v.custom<Readonly<Record<string, unknown>>>(isRecord, "not an object");

export interface MemberBody {
  readonly user: { readonly [K in keyof UserInfo]: UserInfo[K] | undefined } & Pick<UserInfo, "id">;
  readonly ttlMs: number;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly state: Readonly<Record<string, unknown>>;
  readonly status: AutoStatus;
  readonly device: Device;
  readonly agent: boolean;
  readonly onBehalfOf?: string | undefined;
}
export const memberBody: Reads<MemberBody> = v.strictObject({
  user: v.strictObject({
    id: usableId,
    name: text("name"),
    color: text("color"),
    colorLight: text("colorLight"),
    avatar: text("avatar"),
  }),
  ttlMs: v.pipe(
    v.number(),
    v.integer("not a whole number"),
    v.minValue(MIN_TTL_MS, `less than ${MIN_TTL_MS}`),
    v.maxValue(MAX_TTL_MS, "more than a day"),
  ),
  meta: v.optional(jsonObject, {}),
  state: v.optional(jsonObject, {}),
  status: v.optional(v.picklist(["online", "away"], "neither online nor away"), "online"),
  device: v.optional(v.picklist(["desktop", "mobile", "tablet", "unknown"], "no kind of device"), "unknown"),
  agent: v.optional(v.boolean(), true),
  onBehalfOf: v.optional(usableId),
});
