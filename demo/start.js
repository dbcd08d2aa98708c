/**
 * `npm run demo`: the relay, the page, and the server where people sign in, in one process. The last signs tokens with a
 * secret that is made here, and that only the relay has besides.
 *
 * COPRESENCE_PORT chooses another port for the relay; the page is told. COPRESENCE_API_KEY turns its HTTP API on.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { createServer } from "vite";
import { sessionServer } from "./session.js";

const PAGE_PORT = 5173;
/** Where documents, and who was here, outlive the demo: a folder that git ignores. */
const DATA = fileURLToPath(new URL("data", import.meta.url));
const relayPort = Number(process.env.COPRESENCE_PORT ?? 1234);

/** @type {(() => Promise<void>)[]} What has to be closed, the newest last. */
const closing = [];

/**
 * @param {number} code
 * @returns {Promise<never>}
 */
async function stop(code) {
  try {
    for (const close of closing.splice(0).toReversed()) await close();
  } catch (error) {
    console.error(error);
  }
  process.exit(code);
}

/**
 * @param {string[]} message lines that say what to do
 * @returns {Promise<never>}
 */
async function fail(message) {
  console.error(`\n  ${message.join("\n  ")}\n`);
  return stop(1);
}

/**
 * Starts one of the two servers, or says what to do about it.
 *
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} run
 * @param {string[]} portTaken
 * @returns {Promise<T>}
 */
async function start(what, run, portTaken) {
  try {
    return await run();
  } catch (error) {
    const taken = /EADDRINUSE|port \d+ is already in use|another process has it open/i.test(String(error));
    return fail(taken ? portTaken : [`The ${what} did not start:`, inspect(error)]);
  }
}

if (!Number.isInteger(relayPort) || relayPort < 1 || relayPort > 65535) {
  await fail([`COPRESENCE_PORT is "${process.env.COPRESENCE_PORT}"; it must be a port, 1 to 65535.`]);
}
if (!existsSync(new URL("../dist/relay/index.js", import.meta.url))) {
  await fail(["The relay is not built yet. Run `npm run build` once, then `npm run demo` again."]);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stop(0));

const { createRelay, openStore } = await import("copresence/relay");
const secret = randomBytes(48).toString("base64url");
const store = await start("store", () => openStore(`file:${DATA}`), [
  `The documents are kept in ${DATA}, which another demo has open, perhaps, or which cannot be written.`,
  "Stop that program, then run `npm run demo` again.",
]);
// with a key to its HTTP API, backends may act on what is to be seen in the page
const apiKey = process.env.COPRESENCE_API_KEY ?? "";
const relay = createRelay({ jwtSecret: secret, store, ...(apiKey !== "" && { apiKey }) });
closing.push(() => relay.close());
const { url } = await start("relay", () => relay.listen(relayPort, "localhost"), [
  `Port ${relayPort} is taken, perhaps by another relay or y-websocket server.`,
  "Stop that program, or choose another port: COPRESENCE_PORT=4321 npm run demo",
]);

const session = sessionServer({ secret, relay: () => url });
const vite = await createServer({
  configFile: fileURLToPath(new URL("../vite.config.ts", import.meta.url)),
  logLevel: "warn",
  server: { port: PAGE_PORT, strictPort: true },
  plugins: [{ name: "session", configureServer: ({ middlewares }) => void middlewares.use(session) }],
});
closing.push(() => vite.close());
await start("page", () => vite.listen(), [
  `Port ${PAGE_PORT} is taken, perhaps by another demo or Vite server.`,
  "Stop that program, then run `npm run demo` again.",
]);

console.log(`
  Quire, the copresence demo, is ready.

  Open http://localhost:${PAGE_PORT} in two windows: one of them private, or in another browser,
  so that it can sign in as somebody else. Any name will do; there is no password.

  relay ${url}   ·   documents are kept in demo/data   ·   Ctrl+C stops both
`);
