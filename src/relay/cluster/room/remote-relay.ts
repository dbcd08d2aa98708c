/** Another relay as a member of a room of this relay. It speaks for all clients that are connected to it. */
import type { Kind } from "../../../awareness/index.ts";
import { openAccess } from "../../access/grants.ts";
import type { RoomAccess } from "../../ports/access.ts";
import type { Member } from "../../ports/member.ts";

/** Unlike a client it never lags or falls silent. It hears of changes through the bus, and not from the room. */
export class RemoteRelay implements Member {
  readonly kind: Kind = "relay";
  readonly echoing = "never";
  readonly silent = false;
  readonly lagging = false;
  readonly companions: readonly Member[] = [];
  readonly address: string;
  readonly access: RoomAccess;
  answers = false;
  lastSeen: number;

  constructor(relay: string, lobby: string, now: number) {
    this.address = `relay:${relay}`;
    this.access = openAccess(lobby);
    this.lastSeen = now;
  }

  send(): void {}

  cork(): void {}

  uncork(): void {}

  charge(): void {}

  close(): void {}
}
