// A WebSocket server of your own that becomes a presence server: rooms, documents and the lobby over the package `ws`.
//
//   node server.js            then connect y-websocket clients to ws://localhost:1234/<room>, or copresence's to
//                             ws://localhost:1234
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { SUBPROTOCOL, createHub } from "copresence/hub";

const hub = createHub();
hub.on("event", ({ type, userId, roomId }) => console.log(type, userId, roomId));

const server = createServer((_, response) => response.end(JSON.stringify(hub.users().map(({ id }) => id))));
const sockets = new WebSocketServer({
  server,
  // clients of copresence offer a subprotocol of their own, by which the hub knows them
  handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : ([...offered][0] ?? false)),
});

sockets.on("connection", (socket, request) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const address = request.socket.remoteAddress ?? "";
  const lobby = searchParams.get("lobby") ?? "@lobby";
  // who it is, and what they may do: an identity of your session, or null: they are who they say they are
  const identity = null;
  let channel;
  try {
    channel =
      socket.protocol === SUBPROTOCOL
        ? // one socket for all rooms of a tab: it asks for them by itself
          hub.link(socket, { address, admit: (_room) => ({ identity, lobby }) })
        : // a y-websocket client: one room
          hub.accept(socket, { room: decodeURIComponent(pathname.slice(1)), identity, lobby, address });
  } catch (error) {
    socket.close(4400, error.message);
    return;
  }
  socket.on("message", (data, isBinary) => channel.message(data, isBinary));
  socket.on("pong", () => channel.alive());
  socket.on("close", (code) => channel.closed(code));
  socket.on("error", () => {}); // `close` follows
});

server.listen(Number(process.env.PORT ?? 1234), () => {
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`listening on ${address.port}`);
});

process.once("SIGTERM", () => {
  hub.close().then(() => server.close(), console.error);
});
