/** What the API answers and takes, as JSON schemas. */
import { MAX_ID_LENGTH, MAX_INFO_LENGTHS } from "../../presence/index.ts";
import { MAX_PAYLOAD_BYTES, MAX_ROOM_LENGTH, MAX_TYPE_LENGTH } from "../../wire/index.ts";
import { MAX_BAN_MS } from "../cluster/kicks.ts";
import { MAX_DRAIN_MS, MAX_ITEMS, MAX_TTL_MS, MIN_TTL_MS } from "./input/schemas.ts";
import type { JsonSchema } from "./operation.ts";

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const object = (properties: Readonly<Record<string, JsonSchema>>, required = Object.keys(properties)): JsonSchema => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
const listOf = (items: JsonSchema): JsonSchema => ({ type: "array", items });
const text = { type: "string" };
const texts = listOf(text);
const whole = { type: "integer", minimum: 0 };
const time = { type: "integer", description: "ms since the epoch, by the relay's clock" };
const yes = { type: "boolean" };
const anyObject = { type: "object" };
const idSchema = { type: "string", minLength: 1, maxLength: MAX_ID_LENGTH };
const roomName = { type: "string", minLength: 1, maxLength: MAX_ROOM_LENGTH };
const upTo = (maxLength: number) => ({ type: "string", maxLength });

const status = { enum: ["online", "away", "busy", "dnd", "offline"] };
const device = { enum: ["desktop", "mobile", "tablet", "unknown"] };
const manualStatus = { enum: ["away", "busy", "dnd", "invisible", null] };
const info = {
  id: idSchema,
  name: upTo(MAX_INFO_LENGTHS.name),
  color: upTo(MAX_INFO_LENGTHS.color),
  colorLight: upTo(MAX_INFO_LENGTHS.colorLight),
  avatar: upTo(MAX_INFO_LENGTHS.avatar),
};

const user = object(
  {
    ...info,
    status,
    manual: { ...manualStatus, description: "what the user chose, if anything" },
    device,
    devices: listOf(device),
    meta: anyObject,
    sessions: listOf(ref("Session")),
    rooms: texts,
    reconnecting: { ...yes, description: "every connection was lost, and may still come back" },
    guest: { ...yes, description: "a connection that gave no id" },
    agent: { const: true, description: "set by a server: see PUT /rooms/{name}/members/{session}" },
    onBehalfOf: { ...idSchema, description: "the user for whom an agent is here" },
    lastSeen: { type: ["integer", "null"], description: "ms since the epoch; null: nobody knows" },
  },
  ["id", "status", "sessions", "rooms", "lastSeen"],
);

const session = object(
  {
    id: text,
    status: { enum: ["online", "away"] },
    manual: {
      anyOf: [object({ status: manualStatus, at: time }), { type: "null" }],
      description: "what was chosen in this session, if anything, and when",
    },
    device,
    since: { ...time, description: "when `status` last changed, ms since the epoch" },
    meta: anyObject,
    rooms: texts,
    reconnecting: yes,
    agent: { const: true },
    onBehalfOf: idSchema,
  },
  ["id", "status", "manual", "device", "since", "meta", "rooms", "reconnecting"],
);

const counts = object({ users: whole, online: whole, away: whole, busy: whole, dnd: whole });
const connections = {
  type: ["integer", "null"],
  description: "open connections to the relay that is asked; null where only the people of one lobby are counted",
};
const room = {
  name: text,
  counts: ref("Counts"),
  connections,
  hasDocument: { ...yes, description: "the relay holds a document for the room in memory" },
};
const cursor = { type: ["string", "null"], description: "for the next page; null: this is the last" };

export const schemas: Readonly<Record<string, JsonSchema>> = {
  User: user,
  Session: session,
  Counts: counts,
  UserList: object({ users: listOf(ref("User")), cursor }),
  UserBatch: object({ users: listOf(ref("User")) }),
  Room: object({ ...room, users: listOf(ref("User")) }, Object.keys(room)),
  RoomList: object({ rooms: listOf(ref("Room")), cursor }),
  RoomBatch: object({ rooms: listOf(ref("Room")) }),
  Event: object(
    {
      id: { ...text, description: "no other event ever has it" },
      type: { enum: ["join", "leave", "update", "reset"] },
      timestamp: time,
      userId: text,
      status,
      metadata: anyObject,
      roomId: { ...text, description: "the room, or the lobby: @lobby, @lobby/acme" },
      user: ref("User"),
      previous: ref("User"),
      places: listOf(object({ roomId: text, users: listOf(ref("User")) })),
    },
    ["id", "type", "timestamp"],
  ),
  Member: object({ room: text, session: text, clientId: whole, expiresAt: time }),
  MessageSent: object({
    connections: { ...whole, description: "to how many connections of this relay it goes" },
  }),
  Disconnected: object({
    connections: {
      ...whole,
      description: "how many connections were closed, by all relays that answered within a second",
    },
    until: { type: ["integer", "null"], description: "until when the user is refused, ms since the epoch" },
  }),
  Refreshed: object({
    connections: {
      ...whole,
      description: "how many connections were asked for a new token, by all relays that answered",
    },
  }),
  Draining: object({ connections: { ...whole, description: "how many connections are left" } }),
  Error: object({
    error: object({
      code: { type: "string", description: "for programs" },
      message: { type: "string", description: "for people: what is wrong, and what to do" },
    }),
  }),
  UserBatchRequest: object({ ids: { type: "array", items: idSchema, maxItems: MAX_ITEMS } }),
  RoomBatchRequest: object(
    {
      rooms: { type: "array", items: roomName, maxItems: MAX_ITEMS },
      people: { type: "boolean", default: false, description: "with the users of each room" },
    },
    ["rooms"],
  ),
  DrainRequest: object(
    { overMs: { ...whole, maximum: MAX_DRAIN_MS, description: "how long it may take, ms; else as --drain-time says" } },
    [],
  ),
  MessageRequest: object(
    {
      type: { type: "string", minLength: 1, maxLength: MAX_TYPE_LENGTH, description: "your own word for what it is" },
      payload: { default: null, description: `anything, at most ${MAX_PAYLOAD_BYTES} bytes as JSON` },
    },
    ["type"],
  ),
  DisconnectRequest: object(
    {
      reason: { ...upTo(123), description: "said to the clients" },
      code: {
        type: "integer",
        minimum: 4000,
        maximum: 4999,
        default: 4403,
        description: "the close code: after 4400 to 4499 a client does not come back by itself",
      },
      forMs: {
        type: "integer",
        minimum: 0,
        maximum: MAX_BAN_MS,
        default: 0,
        description: "for so long the user is refused",
      },
    },
    [],
  ),
  MemberRequest: object(
    {
      user: object(info, ["id"]),
      ttlMs: { type: "integer", minimum: MIN_TTL_MS, maximum: MAX_TTL_MS },
      meta: { ...anyObject, default: {} },
      state: { ...anyObject, default: {}, description: "fields of the awareness state, such as `cursor`" },
      status: { enum: ["online", "away"], default: "online" },
      device: { ...device, default: "unknown" },
      agent: { type: "boolean", default: true, description: "false for a person whose device only pushes" },
      onBehalfOf: { ...idSchema, description: "a user who is in the room: the member goes when they leave it" },
    },
    ["user", "ttlMs"],
  ),
};

export { ref };
