/** What tests share: relays and clients that are cleaned up, and waiting for a condition instead of for luck. */
import { realNow, realTimeout } from "./clock.ts";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { type Presence, type PresenceOptions, createPresence } from "../src/client/index.ts";
import type { JsonMeta, JsonObject } from "../src/presence/index.ts";
import { type Relay, type RelayConfig, createRelay } from "../src/relay/index.ts";

/**
 * Waits until `condition` holds, and fails after `deadlineMs`, saying what it waited for.
 *
 * @param everyMs how soon to look again: later where looking itself takes a process much
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 5_000,
  everyMs = 5,
): Promise<void> {
  const deadline = realNow() + deadlineMs;
  while (!(await condition())) {
    if (realNow() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await pause(everyMs);
  }
}

/** The same patience for `expect.poll`. */
export const poll = { interval: 5, timeout: 5_000 };

/** A pause inside a loop with a deadline, or to show that nothing happens meanwhile. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    realTimeout(resolve, ms);
  });
}

export interface RunningRelay {
  readonly relay: Relay;
  readonly url: string;
  readonly port: number;
}

/** A relay on a free port of loopback, closed with the test. */
export async function startRelay(options: RelayConfig = {}, port = 0): Promise<RunningRelay> {
  const relay = createRelay(options);
  onTestFinished(() => relay.close());
  const address = await relay.listen(port, "127.0.0.1");
  return { relay, url: address.url, port: address.port };
}

/** An unmodified y-websocket client, destroyed with the test. */
export function stockClient(
  url: string,
  room: string,
  options: { readonly user?: JsonObject; readonly params?: Record<string, string>; readonly doc?: Y.Doc } = {},
): WebsocketProvider {
  const doc = options.doc ?? new Y.Doc();
  const provider = new WebsocketProvider(url, room, doc, {
    disableBc: true,
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    params: options.params ?? {},
  });
  if (options.user !== undefined) provider.awareness.setLocalStateField("user", options.user);
  onTestFinished(() => {
    provider.destroy();
    doc.destroy();
  });
  return provider;
}

/** A client of ours, destroyed with the test; each has a memory of its own, as a tab or device has. */
export function ownClient<Meta extends JsonMeta<Meta> = JsonObject, RoomMeta extends JsonMeta<RoomMeta> = JsonObject>(
  url: string,
  id: string,
  options: Partial<PresenceOptions<Meta>> = {},
): Presence<Meta, RoomMeta> {
  const presence = createPresence<Meta, RoomMeta>(url, {
    user: { id, name: id[0]?.toUpperCase() + id.slice(1) },
    WebSocket,
    ...options,
  } as PresenceOptions<Meta>);
  onTestFinished(() => presence.destroy());
  return presence;
}

/** A bare WebSocket, to send what no client would. */
export async function rawClient(url: string, room: string, protocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(`${url}/${room}`, protocols);
  onTestFinished(() => socket.terminate());
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return socket;
}

/** The code and reason that a socket is closed with. */
export function closeOf(socket: WebSocket): Promise<{ readonly code: number; readonly reason: string }> {
  return new Promise((resolve) => {
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
}
