import { createPresence } from "copresence";

// who you are: here a name for each browser, in your application whoever is signed in
const id = (localStorage.id ??= `guest-${Math.floor(Math.random() * 10_000)}`);
const relay = new URLSearchParams(location.search).get("relay") ?? "ws://localhost:1234";

const presence = createPresence(relay, { user: { id, name: id } });
const room = presence.join("plain-page", { meta: { viewing: "page 1" } });

const [status, people, viewing] = ["status", "people", "viewing"].map((name) => document.getElementById(name));
viewing.addEventListener("input", () => room.setMeta({ viewing: viewing.value }));

function show() {
  const { users, status: connection } = room.roster.getSnapshot();
  status.textContent = connection === "live" ? `${users.length} here` : connection;
  people.replaceChildren(
    ...users.map((user) => {
      const item = document.createElement("li");
      const doing = user.status === "online" ? `looks at ${user.meta.viewing}` : user.status;
      item.textContent = `${user.name}${user.self ? " (you)" : ""} ${doing}`;
      item.style.setProperty("--color", user.color);
      return item;
    }),
  );
}
room.roster.subscribe(show);
show();
