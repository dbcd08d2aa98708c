/** Who speaks in a room, as far as the register has to know. */
import type { UserInfo } from "../presence/index.ts";

/**
 * `stock`: a y-websocket client, which expires whom it does not hear of, says back what it hears, and is told whole states.
 * `native`: a client of ours, which trusts the relay's word and is told patches. `relay`: another relay, which speaks for many.
 */
export type Kind = "stock" | "native" | "relay";

/** What the relay knows of a user from their token, whatever their states claim. */
export type Stamp = Pick<UserInfo, "id" | "name" | "color" | "avatar">;

/**
 * Whether a stock client says back what it hears of others. `after its answer`: as y-websocket does, once it has answered
 * the relay's first question; what it said before that is its own.
 */
export type Echoing = "never" | "after its answer" | "always";

export interface Author {
  readonly kind: Kind;
  readonly echoing: Echoing;
  /** The address that the author comes from, as limits count addresses. */
  readonly address: string;
  /** The author's network is there, but the page has said nothing for long. */
  readonly silent: boolean;
  readonly access: {
    /** Who the relay knows the author to be; null: nobody was asked, and what their states claim holds. */
    readonly user: Stamp | null;
    /** The lobby that the author counts in, as a room name. */
    readonly lobby: string;
    /** A server of the application: it may say that a member acts on behalf of somebody else. */
    readonly isServer?: true;
  };
}
