// Says who comes online and goes offline, through lost connections and restarts of the relay.
//
//   COPRESENCE_API_KEY=KEY node examples/backend/online.js [http://localhost:1234]
import { createServerClient } from "copresence/server";

const [url = "http://localhost:1234"] = process.argv.slice(2);
const server = createServerClient({ url, key: process.env.COPRESENCE_API_KEY ?? "" });
const abort = new AbortController();
process.once("SIGINT", () => abort.abort()).once("SIGTERM", () => abort.abort());

for await (const event of server.events({ room: "@lobby", signal: abort.signal })) {
  if (event.type === "reset") {
    const users = event.places.flatMap((place) => place.users);
    console.log(`online: ${users.map(({ name, id }) => name ?? id).join(", ") || "nobody"}`);
  } else if (event.type === "join") console.log(`${event.user.name ?? event.userId} is online`);
  else if (event.type === "leave") console.log(`${event.user.name ?? event.userId} is offline`);
}
