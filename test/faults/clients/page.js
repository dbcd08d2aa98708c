/**
 * A client of ours as a process of its own, to be killed, stopped and continued:
 * `node page.js <url> <user> <room>`. It counts in its metadata, several times a second, so that others see whether what
 * they are shown is current. Prints a line once it is live.
 */
import { WebSocket } from "ws";
import { createPresence } from "../../../dist/client/index.js";

const [url = "", id = "", name = ""] = process.argv.slice(2);
const presence = createPresence(url, { user: { id, name: id }, meta: { n: 0 }, WebSocket });
const room = presence.join(name, { meta: { n: 0 } });
let n = 0;
setInterval(() => {
  n++;
  presence.setMeta({ n });
  room.setMeta({ n });
}, 200);
room.roster.on("synced", () => console.log("live"));
