/** Our client through the socket that an application has to its Hocuspocus server. */
import {
  type JsonMeta,
  type JsonObject,
  type Presence,
  type PresenceOptions,
  createPresence,
} from "../../client/index.ts";
import { type HocuspocusSocket, over } from "./over.ts";

export { type HocuspocusSocket, over } from "./over.ts";

/**
 * What an application passes: all options of `createPresence` but for the WebSocket. `token` is what your `onAuthenticate`
 * is given, as that of a HocuspocusProvider.
 */
export type HocuspocusPresenceOptions<Meta = JsonObject> = Omit<PresenceOptions<Meta>, "WebSocket" | "params">;

/**
 * How long our client leaves it to the socket to come back before it asks anew, ms: the socket's own back-off goes up to
 * 30 s.
 */
const PATIENCE_MS = 40_000;

/**
 * Announces this session through a `HocuspocusProviderWebsocket`, and reads who else is there.
 *
 * @throws as `createPresence` does
 */
export function createHocuspocusPresence<
  Meta extends JsonMeta<Meta> = JsonObject,
  RoomMeta extends JsonMeta<RoomMeta> = JsonObject,
>(socket: HocuspocusSocket, options: HocuspocusPresenceOptions<Meta>): Presence<Meta, RoomMeta> {
  const { origin, pathname } = new URL(socket.configuration.url);
  const url = `${origin}${pathname}`;
  const timing = { connectTimeoutMs: PATIENCE_MS, ...options.timing };
  return createPresence<Meta, RoomMeta>(url, { ...options, timing, WebSocket: over(socket) } as PresenceOptions<Meta>);
}
