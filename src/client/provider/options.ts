/** What a provider is told, and what it tells. */
import type { Control } from "../../wire/index.ts";
import type { RelayClock } from "../browser/clock.ts";
import type { Announcement } from "./announcement.ts";
import type { Link } from "../link/link.ts";
import type { SocketTiming } from "../link/socket.ts";

export type ProviderStatus = "connecting" | "connected" | "disconnected";

/** The first four are those of y-websocket's provider. */
// a type, not an interface: only that has the index signature that lib0 asks for
export type ProviderEvents = {
  status: (event: { readonly status: ProviderStatus }) => void;
  sync: (synced: boolean) => void;
  synced: (synced: boolean) => void;
  /** The relay refused for good; `connect()` tries again. */
  closed: (event: { readonly code: number; readonly reason: string }) => void;
  /** Everybody in the room is known, for the first time on this connection. */
  snapshot: () => void;
  /** What is known of these clients' connections changed (`markOf`). */
  marks: (clientIds: readonly number[]) => void;
  /** The peers that were held and have not returned are given up. */
  released: () => void;
  control: (control: Control) => void;
  /** Something is wrong that the client cannot mend by itself; told once, not at each attempt. */
  problem: (error: Error) => void;
};

export interface ProviderOptions {
  readonly room: string;
  /** The client's one connection, in which the room gets a channel. */
  readonly link: Link;
  readonly timing: SocketTiming;
  /**
   * What to do with the document. `read`: nothing of it is sent (the relay alone writes a lobby); `none`: the relay sends
   * none of it either.
   */
  readonly sync: "share" | "read" | "none";
  /** The relay's clock. */
  readonly clock: RelayClock;
  /** What all rooms of the client announce alike. */
  readonly announcement: Announcement;
}
