import { createPresence } from "copresence";
import "../../page.css";

const presence = createPresence(`ws://${location.host}/presence`, {
  // who this is, is what the token says: nobody is anybody else by saying so here
  user: { id: "me" },
  // asked for anew whenever the last one is about to expire
  token: async () => {
    const response = await fetch(`/token${location.search}`);
    if (!response.ok) throw new Error(await response.text());
    return await response.text();
  },
});
const room = presence.join("doc-1");

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

function show() {
  const { users, status } = room.roster.getSnapshot();
  element("status").textContent = status === "live" ? `${users.length} here` : status;
  element("people").replaceChildren(
    ...users.map((user) => {
      const item = document.createElement("li");
      item.textContent = `${user.name}${user.self ? " (you)" : ""}`;
      item.style.borderColor = user.color ?? "";
      return item;
    }),
  );
}
room.roster.subscribe(show);
// without a token there is no connection: ?name= is missing
presence.lobby.on("error", (error) => (element("status").textContent = String(error)));
show();
