/**
 * A Hocuspocus server with the extension in a process of its own: `node instance.js <port> [bus]`. It runs what is built, and says its
 * port as a line. Tokens are names, and everybody may come.
 */
import { Server } from "@hocuspocus/server";
import { presenceExtension } from "../../dist/hocuspocus/index.js";
import { openBus } from "../../dist/hub/index.js";

const [port = "0", address] = process.argv.slice(2);
const bus = address === undefined ? null : await openBus(address, console.error);
const presence = presenceExtension({
  bus,
  identify(context) {
    const { user } = /** @type {{ user: string }} */ (context);
    return { userId: user, name: user };
  },
});
const server = new Server({
  address: "127.0.0.1",
  port: Number(port),
  quiet: true,
  extensions: [presence],
  onAuthenticate: ({ token }) => Promise.resolve({ user: token }),
});
await server.listen();
console.log(server.address.port);
