// Kills a relay with a store while twenty stock clients type, and looks whether what others had received is there afterwards.
//
//   npm run build && node scripts/kill.js [times, 30]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

// each provider listens for the end of the process
process.setMaxListeners(0);
const times = Number(process.argv[2] ?? 30);
const CLIENTS = 20;
/** What was received less than this before the kill is not looked for, ms. [STORE-42] promises all of it. */
const APPENDED_MS = Number(process.argv[3] ?? 0);
const folder = mkdtempSync(join(tmpdir(), "copresence-kill-"));

/** @param {number} ms */
const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

async function startRelay() {
  const child = spawn(process.execPath, ["dist/cli.js", "--port", "0", "--store", `file:${folder}`]);
  child.stderr.resume();
  const [line] = await once(child.stdout, "data");
  return { child, url: /ws:\S+/.exec(String(line))?.[0] ?? "" };
}

/** @param {string} url */
function client(url) {
  return new WebsocketProvider(url, "doc", new Y.Doc(), {
    disableBc: true,
    WebSocketPolyfill: /** @type {typeof globalThis.WebSocket} */ (/** @type {unknown} */ (WebSocket)),
  });
}

/** @param {WebsocketProvider} provider */
async function synced(provider) {
  while (!provider.synced) await pause(10);
}

/** How far a document knows each of its writers. @param {Y.Doc} doc */
const knownTo = (doc) => Y.decodeStateVector(Y.encodeStateVector(doc));

let lost = 0;
for (let round = 1; round <= times; round++) {
  const relay = await startRelay();
  const clients = Array.from({ length: CLIENTS }, () => client(relay.url));
  await Promise.all(clients.map(synced));
  const typing = setInterval(() => {
    for (const { doc } of clients) if (Math.random() < 0.2) doc.getText("t").insert(0, "x");
  }, 20);
  await pause(500 + Math.random() * 1_500);
  // what others than its author have received, and the relay has had the time to append
  const seen = clients.map(({ doc }) => knownTo(doc));
  await pause(APPENDED_MS);
  relay.child.kill("SIGKILL");
  await once(relay.child, "exit");
  clearInterval(typing);
  for (const each of clients) each.destroy();
  const again = await startRelay();
  const reader = client(again.url);
  await synced(reader);
  const kept = knownTo(reader.doc);
  let missing = 0;
  seen.forEach((states, i) => {
    for (const [writer, clock] of states) {
      // its author's page is gone: what nobody else had received may be lost
      if (writer !== clients[i]?.doc.clientID) missing = Math.max(missing, clock - (kept.get(writer) ?? 0));
    }
  });
  if (missing > 0) lost++;
  console.log(
    `${round}: ${reader.doc.getText("t").length} characters, ${missing > 0 ? `LOST ${missing}` : "none lost"}`,
  );
  reader.destroy();
  again.child.kill("SIGKILL");
  await once(again.child, "exit");
}
console.log(`lost something in ${lost} of ${times}`);
rmSync(folder, { recursive: true, force: true });
process.exit(lost === 0 ? 0 : 1);
