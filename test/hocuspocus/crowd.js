/**
 * Many tabs of a Hocuspocus server in one process, each with our client over a socket of its own: `node crowd.js <url> <count>
 * <per document> <observers>`. The observers, the first of the clients, read the lobby. Says as JSON lines what happens, and
 * answers "report" on its standard input with how things stand.
 */
import { createInterface } from "node:readline";
import { HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { WebSocket } from "ws";
import { createHocuspocusPresence } from "../../dist/hocuspocus/client/index.js";

const [url = "", ...numbers] = process.argv.slice(2);
const [count = 0, perDocument = 10, observers = 0] = numbers.map(Number);
/** @param {object} line */
const say = (line) => console.log(JSON.stringify({ at: Date.now(), ...line }));

const clients = Array.from({ length: count }, (_, i) => {
  const socket = new HocuspocusProviderWebsocket({
    url,
    WebSocketPolyfill: WebSocket,
    minDelay: 100,
    delay: 200,
    maxDelay: 2_000,
  });
  const presence = createHocuspocusPresence(socket, {
    user: { id: `u${i}`, name: `u${i}` },
    token: `u${i}`,
    observeLobby: i < observers,
  });
  const room = presence.join(`doc${Math.floor(i / perDocument)}`);
  const rosters = i < observers ? [room.roster, presence.lobby] : [room.roster];
  for (const roster of rosters) {
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
