/** A crowd of tabs of a Hocuspocus server, each with our client over a socket of its own: see ../crowd.js. */
import { HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { WebSocket } from "ws";
import { createHocuspocusPresence } from "../../dist/hocuspocus/client/index.js";
import { runCrowd } from "../crowd.js";

runCrowd((url, options) => {
  const socket = new HocuspocusProviderWebsocket({
    url,
    WebSocketPolyfill: WebSocket,
    minDelay: 100,
    delay: 200,
    maxDelay: 2_000,
  });
  return createHocuspocusPresence(socket, { ...options, token: options.user.id });
});
