// An Express server that knows who is signed in, signs a token for them, and has the relay on the same port.
//
//   node server.js            then open http://localhost:3000?name=Alice in one window and ?name=Bob in another
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import { createRelay } from "copresence/relay";
import express from "express";
import { SignJWT } from "jose";

// of all your servers the same, and kept where secrets are kept
const secret = process.env.COPRESENCE_JWT_SECRET ?? randomBytes(32).toString("hex");

const app = express();
const page = readFileSync(new URL("./page.html", import.meta.url), "utf8");
app.get("/", (_request, response) => response.type("html").send(page));

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

const server = createServer(app);
const relay = createRelay({ jwtSecret: secret });
relay.attach(server, { path: "/presence" });
relay.on("join", ({ userId, roomId }) => console.log(`${userId} came to ${roomId}`));

server.listen(Number(process.env.PORT ?? 3000), () => console.log(`http://localhost:${server.address().port}`));
process.once("SIGTERM", () => {
  relay.close().then(() => server.close(), console.error);
});
