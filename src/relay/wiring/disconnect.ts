/** What a server may say as it disconnects a user, and what it is answered. */
import { Close, checkedLobbyRoom } from "../../wire/index.ts";
import { type Kick, MAX_BAN_MS, isCloseCode } from "../cluster/kicks.ts";

/** How a user is disconnected. */
export interface DisconnectOptions {
  /**
   * The close code. After 4400 to 4499 a client does not come back by itself; after any other it does, and is refused for as
   * long as `forMs` says. Default 4403.
   */
  readonly code?: number;
  /** Said to the clients; at most 123 bytes of it. Default: that a server disconnected them. */
  readonly reason?: string;
  /** For so long the user is refused, even with a good token, ms, at most a year. Default 0: the user may come back at once. */
  readonly forMs?: number;
  /** The lobby that the user is meant in: `acme` for `@lobby/acme`. Default: all. */
  readonly lobby?: string;
}

export interface Disconnected {
  /**
   * How many connections to rooms were closed. `relay.disconnect` counts those of that relay alone; the HTTP API counts those of
   * all relays that say so within a second.
   */
  readonly connections: number;
  /** Until when the user is refused, ms since the epoch; null: the user is not. */
  readonly until: number | null;
}

/** Throws a `TypeError` for an id that no user has: nobody would be disconnected, without a word. [RUN-10] */
export function checkUserId(userId: unknown): void {
  if (typeof userId !== "string" || userId === "") throw new TypeError("userId must be the id of a user, a text");
}

/**
 * What is to be done, checked as a whole before anybody is disconnected. [API-23]
 *
 * @throws RangeError for a code that no connection can be closed with, or a time that is none; TypeError for an id that is none
 */
export function kickOf(userId: string, { code, reason, forMs = 0, lobby }: DisconnectOptions): Kick {
  checkUserId(userId);
  if (reason !== undefined && typeof reason !== "string") throw new TypeError("reason must be a text");
  if (code !== undefined && !isCloseCode(code)) {
    throw new RangeError("code must be a close code: 1000 to 1014 but for 1004 to 1006, or 3000 to 4999");
  }
  if (!(forMs >= 0 && forMs <= MAX_BAN_MS)) throw new RangeError(`forMs must be ms from 0 to ${MAX_BAN_MS}, a year`);
  return {
    userId,
    lobby: lobby === undefined ? null : checkedLobbyRoom(lobby),
    code: code ?? Close.notAllowed,
    reason: reason ?? "disconnected by the server",
    forMs,
  };
}
