// @ts-check
/** @hocuspocus/server as it comes: no extensions, nothing stored. `PORT` says where. */
import { Server } from "@hocuspocus/server";

const server = new Server({ address: "127.0.0.1", port: Number(process.env.PORT), quiet: true });
await server.listen();
