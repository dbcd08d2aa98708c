import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { createHocuspocusPresence } from "copresence/hocuspocus/client";
import "../page.css";

const params = new URLSearchParams(location.search);
const name = params.get("name") ?? "Alice";
const socket = new HocuspocusProviderWebsocket({ url: params.get("server") ?? "ws://localhost:1234" });

// the document goes through the provider, and presence through copresence, over one socket
const provider = new HocuspocusProvider({ websocketProvider: socket, name: "doc-1", token: name, awareness: null });
provider.attach();
const presence = createHocuspocusPresence(socket, { user: { id: name.toLowerCase(), name }, token: name });
const room = presence.join("doc-1", { doc: provider.document });

/** @param {string} id */
const element = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));
const [status, people, text] = [element("status"), element("people"), element("text")];
const shared = provider.document.getText("text");
shared.observe(() => (text.value = shared.toString()));
text.addEventListener("input", () => {
  provider.document.transact(() => {
    shared.delete(0, shared.length);
    shared.insert(0, text.value);
  });
});

function show() {
  const { users, status: connection } = room.roster.getSnapshot();
  status.textContent =
    connection === "live" ? `${users.length} here, ${presence.lobby.users.length} online` : connection;
  people.replaceChildren(
    ...users.map((user) => {
      const item = document.createElement("li");
      item.textContent = `${user.name}${user.self ? " (you)" : ""}: ${user.status}`;
      item.style.borderColor = user.color ?? "";
      return item;
    }),
  );
}
room.roster.subscribe(show);
presence.lobby.subscribe(show);
show();
