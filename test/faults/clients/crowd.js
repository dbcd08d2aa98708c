/** A crowd of clients of a relay: see ../crowd.js. */
import { WebSocket } from "ws";
import { createPresence } from "../../../dist/client/index.js";
import { runCrowd } from "../../crowd.js";

runCrowd((url, options) => createPresence(url, { ...options, WebSocket }));
