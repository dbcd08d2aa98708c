// @ts-check
/** @hocuspocus/server with its extension for Redis, nothing stored. `PORT` says where, `REDIS_PORT` where Redis is. */
import { Redis } from "@hocuspocus/extension-redis";
import { Server } from "@hocuspocus/server";

const { PORT, REDIS_PORT } = process.env;
const server = new Server({
  address: "127.0.0.1",
  port: Number(PORT),
  quiet: true,
  extensions: [new Redis({ host: "127.0.0.1", port: Number(REDIS_PORT) })],
});
await server.listen();
