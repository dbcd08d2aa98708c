/** What is understood of a provider that is not ours: whether it is connected, and whether it is in sync. */
import type { Unsubscribe } from "../../presence/index.ts";

/**
 * A provider that tells how it fares, as those of y-websocket, Hocuspocus, y-webrtc and y-partyserver do: events `status`
 * (`{ status: "connected" }`, `{ connected: true }`, or the text alone) and `sync` or `synced` (`true`, `{ state: true }`,
 * `{ synced: true }`).
 */
export interface StatusProvider {
  on(type: string, listener: (event: unknown) => void): unknown;
  off(type: string, listener: (event: unknown) => void): unknown;
  readonly wsconnected?: boolean;
  readonly connected?: boolean;
  readonly status?: unknown;
  readonly synced?: boolean;
}

/** `up`: connected. `synced`: and what others have is here. `down`: neither. */
export type ProviderNews = "up" | "synced" | "down";

/** How a provider fares now; undefined: it does not say. */
export function newsOf({ wsconnected, connected, status, synced }: StatusProvider): ProviderNews | undefined {
  const isUp = wsconnected ?? connected ?? (typeof status === "string" ? status === "connected" : undefined);
  if (isUp === false) return "down";
  if (synced === true) return "synced";
  return isUp === true ? "up" : undefined;
}

/** Tells what a provider says from now on. */
export function followProvider(provider: StatusProvider, tell: (news: ProviderNews) => void): Unsubscribe {
  const onStatus = (event: unknown): void => {
    const status = flagOf(event, "connected") ?? flagOf(event, "status");
    if (status !== undefined) tell(status === true || status === "connected" ? "up" : "down");
  };
  const onSync = (event: unknown): void => {
    if ((flagOf(event, "state") ?? flagOf(event, "synced") ?? true) === true) tell("synced");
  };
  const onEnd = (): void => tell("down");
  // y-websocket says `sync` and `synced`, of which the second says nothing new; the last are of a connection that ended,
  // which some providers tell before they tell the status, or in its place
  const listeners = {
    status: onStatus,
    sync: onSync,
    synced: onSync,
    "connection-close": onEnd,
    disconnect: onEnd,
    close: onEnd,
  };
  for (const [type, listener] of Object.entries(listeners)) provider.on(type, listener);
  return () => {
    for (const [type, listener] of Object.entries(listeners)) provider.off(type, listener);
  };
}

/** What an event says: by itself, or as a property. */
function flagOf(event: unknown, key: string): unknown {
  if (typeof event !== "object" || event === null) return event;
  return (event as Record<string, unknown>)[key];
}
