/** Somebody who looks on while others fail. */
import type { LeaveEvent, Presence, Room } from "../../src/client/index.ts";
import { ownClient } from "../support.ts";

export interface Watch {
  readonly alice: Presence;
  readonly room: Room;
  readonly leaves: LeaveEvent[];
}

/** Alice watches the room and the lobby. */
export function watch(url: string): Watch {
  const alice = ownClient(url, "alice");
  const room = alice.join("plans");
  const leaves: LeaveEvent[] = [];
  room.roster.on("leave", (event) => leaves.push(event));
  alice.lobby.on("leave", (event) => leaves.push(event));
  return { alice, room, leaves };
}
