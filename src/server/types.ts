/** What the API takes and answers. */
import type { AutoStatus, Device, JsonObject, Session, Status, User, UserInfo } from "../presence/index.ts";

export interface InLobby {
  /** `acme` for the lobby `@lobby/acme`. Default: the key's own; else the default lobby, and in a room everybody. */
  readonly lobby?: string;
}

/** A user as the API says them. One of whom nobody knows is offline, with `lastSeen` null and nothing else. */
export interface ServerUser extends Partial<Omit<User, "id" | "status" | "sessions" | "rooms" | "lastSeen" | "self">> {
  readonly id: string;
  readonly status: Status;
  readonly sessions: readonly Omit<Session, "clientId">[];
  readonly rooms: readonly string[];
  /** ms since the epoch: of one who is here, the time of asking. */
  readonly lastSeen: number | null;
}

export interface Counts {
  readonly users: number;
  readonly online: number;
  readonly away: number;
  readonly busy: number;
  readonly dnd: number;
}

export interface RoomInfo {
  readonly name: string;
  readonly counts: Counts;
  /** Open connections; null where only people of one lobby count. */
  readonly connections: number | null;
  readonly hasDocument: boolean;
  /** Where people were asked for. */
  readonly users?: readonly ServerUser[];
}

export interface Page<T> {
  readonly items: readonly T[];
  /** For the next page; null: this is the last. */
  readonly cursor: string | null;
}

export interface UsersOptions extends InLobby {
  /** Only these, and those of them who left and are remembered. */
  readonly ids?: readonly string[];
  /** Only those of these statuses; `offline` lists who left and is remembered. */
  readonly status?: readonly Status[];
  /** Default 100, at most 1,000. */
  readonly limit?: number;
  /** Of the page before. */
  readonly cursor?: string | null;
}

export interface DisconnectOptions extends InLobby {
  /** Said to the clients, at most 123 characters. */
  readonly reason?: string;
  /** The close code; after 4400 to 4499 clients do not come back by themselves. Default 4403. */
  readonly code?: number;
  /** For so long the user is refused, ms. Default 0. */
  readonly forMs?: number;
}

export interface Disconnected {
  readonly connections: number;
  /** Until when the user is refused, ms since the epoch; null: the user is not. */
  readonly until: number | null;
}

export interface MemberOptions extends InLobby {
  readonly user: UserInfo;
  /** For so long, unless the member is set anew: 1,000 to 86,400,000 ms. */
  readonly ttlMs: number;
  readonly meta?: JsonObject;
  /** Fields of the awareness state, such as `cursor`. */
  readonly state?: JsonObject;
  /** Default `online`. */
  readonly status?: AutoStatus;
  /** Default `unknown`. */
  readonly device?: Device;
  /** False for a person whose device only pushes. Default true. */
  readonly agent?: boolean;
  /** A user who is in the room: the member is shown under them, and goes when they leave. */
  readonly onBehalfOf?: string;
}

export interface SetMember {
  readonly room: string;
  readonly session: string;
  /** The id of the member's awareness state. */
  readonly clientId: number;
  /** When the member goes unless it is set anew, ms since the epoch. */
  readonly expiresAt: number;
}

export interface EventsOptions extends InLobby {
  readonly room?: string;
  /** Only of rooms whose names begin so. */
  readonly prefix?: string;
  readonly user?: string;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}
