// An Express server that knows who is signed in, signs a token for them, and has the relay on the same port.
//
//   node server.js            then open http://localhost:3000?name=Alice in one window and ?name=Bob in another
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { createRelay } from "copresence/relay";
import express from "express";
import { SignJWT } from "jose";
import { createServer as createVite } from "vite";

// of all your servers the same, and kept where secrets are kept
const secret = process.env.COPRESENCE_JWT_SECRET ?? randomBytes(32).toString("hex");

const app = express();
const server = createServer(app);

// your session says who it is; here the page does
app.get("/token", async (request, response) => {
  const name = String(request.query.name ?? "").slice(0, 64);
  if (name === "") return response.status(401).send("sign in first: add ?name=Alice\n");
  const rooms = { "doc-*": ["observe", "presence", "read", "write"], "@lobby": ["observe"] };
  const token = await new SignJWT({ name, rooms })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(name.toLowerCase())
    .setExpirationTime("10 minutes")
    .sign(new TextEncoder().encode(secret));
  return response.type("text").send(token);
});

const relay = createRelay({ jwtSecret: secret });
relay.attach(server, { path: "/presence" });
relay.on("join", ({ userId, roomId }) => console.log(`${userId} came to ${roomId}`));

// the page as it is being written; what `vite build` makes of it is served by `express.static`
const vite = await createVite({
  root: fileURLToPath(new URL("page", import.meta.url)),
  // its own WebSocket shares the server with the relay
  server: { middlewareMode: true, hmr: { server } },
});
app.use(vite.middlewares);

server.listen(Number(process.env.PORT ?? 3000), () => {
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`http://localhost:${address.port}`);
});
process.once("SIGTERM", () => {
  relay
    .close()
    .then(() => vite.close())
    .then(() => server.close(), console.error);
});
