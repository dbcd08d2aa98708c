/**
 * Many clients of ours in one process, as the crowds of test/faults and test/hocuspocus run them: `node crowd.js <url> <count>
 * <per room> <observers>`. The observers, the first of the clients, read the lobby; the rest announce themselves there. Says as
 * JSON lines what happens, and answers "report" on its standard input with how things stand.
 */
import { createInterface } from "node:readline";

/** @param {object} line */
const say = (line) => console.log(JSON.stringify({ at: Date.now(), ...line }));

/** @typedef {import("../dist/client/index.js").Presence} Presence */
/** @typedef {{ user: { id: string, name: string }, observeLobby: boolean }} ClientOptions */

/** @param {(url: string, options: ClientOptions) => Presence} connect  Makes one client */
export function runCrowd(connect) {
  const [url = "", ...numbers] = process.argv.slice(2);
  const [count = 0, perRoom = 10, observers = 0] = numbers.map(Number);

  const clients = Array.from({ length: count }, (_, i) => {
    const presence = connect(url, { user: { id: `u${i}`, name: `u${i}` }, observeLobby: i < observers });
    const room = presence.join(`room${Math.floor(i / perRoom)}`);
    room.provider.on("status", ({ status }) => {
      if (status === "connected") say({ event: "connected", client: i });
    });
    const rosters = i < observers ? [room.roster, presence.lobby] : [room.roster];
    for (const roster of rosters) {
      roster.on("status", (status) => say({ event: status, client: i, roomId: roster.roomId }));
      roster.on("event", ({ type, userId, roomId }) => {
        if (type !== "update") say({ event: type, client: i, userId, roomId });
      });
    }
    return { presence, room };
  });

  createInterface({ input: process.stdin }).on("line", () => {
    const rosters = clients.map(({ room }) => room.roster);
    say({
      event: "report",
      live: rosters.filter(({ status }) => status === "live").length,
      seen: Math.min(...rosters.map(({ users }) => users.length)),
      reconnecting: rosters.flatMap(({ users }) => users).filter(({ reconnecting }) => reconnecting).length,
      lobbies: clients.slice(0, observers).map(({ presence }) => presence.lobby.users.length),
    });
  });
}
