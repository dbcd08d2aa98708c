// Who is online, over a plain WebSocket server with messages of its own: `copresence/lobby` counts people, the rest is yours.
//
//   node server.js            then connect any WebSocket client to ws://localhost:1234 and send, as often as it changes,
//                             {"id":"alice","name":"Alice","tab":"t1","status":"online","room":"doc-1"}
import { randomUUID } from "node:crypto";
import { Directory } from "copresence/lobby";
import { WebSocketServer } from "ws";

// any object is a connection's key: here its socket
const directory = new Directory("@lobby");
const server = new WebSocketServer({ port: Number(process.env.PORT ?? 1234) });

/**
 * What the others are told of a user: one entry, however many tabs they have.
 *
 * @param {import("copresence/lobby").User} user
 */
const shown = ({ id, name, status, rooms }) => ({ id, name, status, rooms });

function flush() {
  const events = directory.flush(performance.now(), Date.now());
  for (const { type, user } of events) {
    for (const client of server.clients) client.send(JSON.stringify({ type, user: shown(user) }));
  }
}

server.on("connection", (socket) => {
  const tab = randomUUID();
  socket.send(JSON.stringify({ type: "synced", users: [...directory.users.values()].map(shown) }));
  socket.on("message", (data) => {
    try {
      directory.report(socket, reportOf(JSON.parse(String(data)), tab), Date.now());
      flush();
    } catch (error) {
      socket.close(1008, error.message);
    }
  });
  socket.on("close", () => {
    directory.withdraw(socket, Date.now(), Date.now());
    flush();
  });
  socket.on("error", () => {}); // `close` follows
});

/**
 * What a message says, in the words of the library. Who it is, your own session knows better than the message.
 *
 * @returns {import("copresence/lobby").Report}
 */
function reportOf(said, tab) {
  if (typeof said?.id !== "string") throw new TypeError("say who you are: an id");
  const room = typeof said.room === "string" ? said.room : null;
  const session = {
    id: String(said.tab ?? tab),
    status: said.status === "away" ? /** @type {const} */ ("away") : /** @type {const} */ ("online"),
    manual: null,
    device: /** @type {const} */ ("unknown"),
    since: Date.now(),
    meta: {},
    rooms: room === null ? [] : [room],
    reconnecting: false,
    clientId: null,
  };
  const claim = { user: { id: said.id, name: String(said.name ?? said.id) }, session };
  return { room, claim, connected: true, silent: false, bytes: 0 };
}

server.on("listening", () => {
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`listening on ${address.port}`);
});
process.once("SIGTERM", () => {
  server.close();
  for (const client of server.clients) client.close(1001, "the server is going down");
});
