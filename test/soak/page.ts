/** A page with a stock y-websocket client: `?relay=…&id=…&room=…`. */
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const query = new URLSearchParams(location.search);
const param = (name: string): string => query.get(name) ?? "";

const provider = new WebsocketProvider(param("relay"), param("room"), new Y.Doc(), { disableBc: true });
provider.awareness.setLocalStateField("user", { id: param("id"), name: param("id") });
