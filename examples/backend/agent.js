// An agent that works in a document for a minute: it is there with a caret, says what it does, and goes.
//
//   COPRESENCE_API_KEY=KEY node examples/backend/agent.js doc-1 [http://localhost:1234]
import { createServerClient } from "copresence/server";
import * as Y from "yjs";

const [room = "doc-1", url = "http://localhost:1234"] = process.argv.slice(2);
const server = createServerClient({ url, key: process.env.COPRESENCE_API_KEY ?? "" });

const user = { id: "agent:speller", name: "Speller", color: "#7048e8", colorLight: "#7048e833" };
const { users = [] } = await server.room(room);
console.log(`in ${room}: ${users.map(({ name, id }) => name ?? id).join(", ") || "nobody"}`);

const doc = new Y.Doc();
const update = await server.document.get(room);
if (update !== null) Y.applyUpdate(doc, update);
const text = doc.getText("text");

const stop = new AbortController();
process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());

const steps = 60;
for (let step = 0; step < steps && !stop.signal.aborted; step++) {
  // where in the text it reads, as editors say it
  const at = Y.relativePositionToJSON(
    Y.createRelativePositionFromTypeIndex(text, Math.floor((text.length * step) / steps)),
  );
  await server.setMember(room, "speller", {
    user,
    ttlMs: 5_000, // should this program end without a word, the agent is gone then
    meta: { task: `reading, ${Math.round((100 * step) / steps)} %` },
    state: { cursor: { anchor: at, head: at } },
  });
  if (step === 0) console.log("the agent is there");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}
await server.removeMember(room, "speller");
console.log("the agent is gone");
