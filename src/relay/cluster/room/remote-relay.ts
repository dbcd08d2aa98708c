/** Another relay as a member of a room of this one: it speaks for all who are connected there. */
import type { Kind } from "../../../awareness/index.ts";
import { openAccess } from "../../access/grants.ts";
import type { RoomAccess } from "../../ports/access.ts";
import type { Member } from "../../ports/member.ts";

/** A relay is no tab. It is not slow, does not fall silent, and is told by the bus, not by the room. */
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
