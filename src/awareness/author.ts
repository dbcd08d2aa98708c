/** Who speaks in a room, as far as the register has to know. */
import type { UserInfo } from "../presence/index.ts";

/**
 * `stock`: a y-websocket client. It drops states that are not renewed, sends back what it hears, and is told whole states. `native`: a
 * client of ours. It believes the relay and is told patches. `relay`: another relay, which speaks for many clients.
 */
export type Kind = "stock" | "native" | "relay";

/** What the token of a connection says of its user. It counts, whatever the states of the connection claim. */
export type Stamp = Pick<UserInfo, "id" | "name" | "color" | "avatar">;

/**
 * Whether a stock client sends back what it hears of others. `after its answer`: as y-websocket does, once it has answered the relay's
 * first question; whatever it says before that is its own.
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
    /** Who the author is, as the relay knows it; null: the relay asks nobody, and believes what states claim. */
    readonly user: Stamp | null;
    /** The lobby that the author counts in, as a room name. */
    readonly lobby: string;
    /** A server of the application: it may say that a member acts on behalf of somebody else. */
    readonly isServer?: true;
  };
}
