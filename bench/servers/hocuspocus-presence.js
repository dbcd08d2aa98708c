// @ts-check
/** @hocuspocus/server with our extension. `PORT` says where. */
import { Server } from "@hocuspocus/server";
import { presenceExtension } from "../../dist/hocuspocus/index.js";

const server = new Server({
  address: "127.0.0.1",
  port: Number(process.env.PORT),
  quiet: true,
  extensions: [presenceExtension({ identify: () => null })],
});
await server.listen();
