// A Hocuspocus server with presence inside: plain providers gain by it, and copresence's client comes over their socket.
//
//   node server.js
import { Server } from "@hocuspocus/server";
import { presenceExtension } from "copresence/hocuspocus";

const presence = presenceExtension({
  // what onAuthenticate returned: others see this user, whatever the connection claims to be
  identify(context) {
    const { user } = /** @type {{ user: { id: string, name: string } }} */ (context);
    return { userId: user.id, name: user.name };
  },
});
presence.hub.on("event", ({ type, userId, roomId }) => console.log(type, userId, roomId));

const server = new Server({
  port: Number(process.env.PORT ?? 1234),
  quiet: true,
  extensions: [presence],
  async onAuthenticate({ token }) {
    // here the token is a name; in your application, the user that your session names
    if (token === "") throw new Error("no token");
    return { user: { id: token.toLowerCase(), name: token } };
  },
});
await server.listen();
console.log(`listening on ${server.address.port}`);
