import { openAccess } from "../src/relay/access/grants.ts";
import { admitRoom } from "../src/relay/access/request.ts";
import type { Doorkeeper } from "../src/relay/wiring/room-channels.ts";
import { LOBBY } from "../src/wire/index.ts";

/** Lets everybody in to whatever room a link asks for. */
export function everybody(lobby = LOBBY): Doorkeeper {
  return {
    admit({ room, keepsHistory = false }) {
      const asked = admitRoom(room, lobby);
      return asked.ok ? { room: asked.room, keepsHistory, access: openAccess(asked.lobby) } : asked;
    },
    renewed() {},
  };
}
