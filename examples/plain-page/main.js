import { createPresence } from "copresence";
import "../page.css";

// who you are: here a name for each browser, in your application the person who is signed in
const query = new URLSearchParams(location.search);
const name = query.get("name") ?? (localStorage.id ??= `guest-${Math.floor(Math.random() * 10_000)}`);
const relay = query.get("relay") ?? "ws://localhost:1234";

const presence = createPresence(relay, { user: { id: name.toLowerCase(), name } });
const room = presence.join("plain-page", { meta: { viewing: "page 1" } });

/** @param {string} id */
const element = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));
const [status, people, viewing] = [element("status"), element("people"), element("viewing")];
viewing.addEventListener("input", () => room.setMeta({ viewing: viewing.value }));

function show() {
  const { users, status: connection } = room.roster.getSnapshot();
  status.textContent = connection === "live" ? `${users.length} here` : connection;
  people.replaceChildren(
    ...users.map((user) => {
      const item = document.createElement("li");
      const doing = user.status === "online" ? `looks at ${user.meta.viewing}` : user.status;
      item.textContent = `${user.name}${user.self ? " (you)" : ""} ${doing}`;
      item.style.borderColor = user.color ?? "";
      return item;
    }),
  );
}
room.roster.subscribe(show);
show();
