// @ts-check
/** `node newcomer.js <url>`: how long a client of ours takes until it has the whole roster of the lobby. */
import { performance } from "node:perf_hooks";
import { WebSocket } from "ws";
import { createPresence } from "../../dist/client/index.js";

process.once("disconnect", () => process.exit());

const [url = ""] = process.argv.slice(2);
const startedAt = performance.now();
const presence = createPresence(url, { user: { id: "newcomer", name: "newcomer" }, WebSocket });
presence.lobby.on("synced", ({ users }) => {
  process.send?.({ rosterMs: performance.now() - startedAt, users: users.length });
});
