// Joins a room as a bot, and says who comes and goes.
//
//   node watch.js [room] [ws://localhost:1234]
import { createPresence } from "copresence";
import { WebSocket } from "ws";

const [name = "doc-1", url = "ws://localhost:1234"] = process.argv.slice(2);

const presence = createPresence(url, { user: { id: "watcher", name: "Watcher" }, WebSocket });
const room = presence.join(name);

room.roster.on("synced", ({ users }) => {
  const others = users.filter((user) => !user.self).map((user) => user.name ?? user.id);
  console.log(others.length === 0 ? `nobody is in ${name}` : `in ${name}: ${others.join(", ")}`);
});
room.roster.on("join", ({ user }) => console.log(`${user.name ?? user.id} came`));
room.roster.on("leave", ({ user }) => console.log(`${user.name ?? user.id} left`));
room.roster.on("status", (status) => console.log(`(${status})`));

// leaves at once in the eyes of others, without the grace of a lost connection
process.once("SIGINT", () => presence.destroy());
process.once("SIGTERM", () => presence.destroy());
