// @ts-check
/** A y-websocket client in a process of its own: `node stock.js <url> <room> <name>`. See peers/report.js. */
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { report } from "./report.js";

const [url = "", room = "", name = ""] = process.argv.slice(2);
const doc = new Y.Doc();
const provider = new WebsocketProvider(url, room, doc, {
  // @ts-expect-error the class of ws will do for what y-websocket needs of it
  WebSocketPolyfill: WebSocket,
  // or two of them would talk past the server
  disableBc: true,
});
provider.awareness.setLocalStateField("user", { name });
provider.on("status", ({ status }) => {
  if (status === "connected") report.opened();
});

function look() {
  const ids = [...provider.awareness.getStates().keys()];
  report.sees(provider.wsconnected && ids.some((id) => id !== doc.clientID));
}
provider.awareness.on("change", look);
provider.on("status", look);
look();
