// @ts-check
/** A client of ours in a process of its own: `node own.js <url> <room> <name>`. See peers/report.js. */
import { WebSocket } from "ws";
import { createPresence } from "../../dist/client/index.js";
import { report } from "./report.js";

const [url = "", room = "", name = ""] = process.argv.slice(2);
const presence = createPresence(url, { user: { id: name, name }, WebSocket, observeLobby: false });
const joined = presence.join(room);
joined.provider.on("status", ({ status }) => {
  if (status === "connected") report.opened();
});

function look() {
  const { status, users } = joined.roster;
  const others = users.filter(({ id }) => id !== name);
  report.sees(status === "live" && others.some(({ sessions }) => sessions.some(({ reconnecting }) => !reconnecting)));
}
joined.roster.subscribe(look);
look();
