// @ts-check
/**
 * Presence as a REST endpoint, as the naive approach has it: `POST /heartbeat` says how its author is, `GET /presence`
 * how everybody is. `PORT` says where. Generous to it: no access is checked, nothing is stored, nobody is ever timed
 * out, and the answer is encoded again only when somebody changed.
 */
import { createServer } from "node:http";

/** @type {Map<string, { status: string, change: number }>} */
const users = new Map();
/** @type {string | null} */
let encoded = null;

const server = createServer((request, response) => {
  if (request.method === "GET") {
    encoded ??= JSON.stringify(Object.fromEntries(users));
    response.writeHead(200, { "content-type": "application/json" }).end(encoded);
    return;
  }
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (/** @type {string} */ chunk) => (body += chunk));
  request.on("end", () => {
    const { id, status, change } = JSON.parse(body);
    const known = users.get(id);
    if (known?.status !== status || known?.change !== change) encoded = null;
    users.set(id, { status, change });
    response.writeHead(204).end();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), "127.0.0.1");
