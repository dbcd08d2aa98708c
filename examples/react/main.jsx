import { createPresence } from "copresence";
import { PresenceProvider, useConnectionStatus, useLobby, useRoom, useUsers } from "copresence/react";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import "../page.css";

// who you are: here a name for each browser, in your application the person who is signed in
const query = new URLSearchParams(location.search);
const name = query.get("name") ?? (localStorage.id ??= `guest-${Math.floor(Math.random() * 10_000)}`);
const relay = query.get("relay") ?? "ws://localhost:1234";
const presence = createPresence(relay, { user: { id: name.toLowerCase(), name } });

function People() {
  const [viewing, setViewing] = useState("page 1");
  const room = useRoom("react", { meta: { viewing } });
  const users = useUsers(room);
  const status = useConnectionStatus(room);
  const online = useLobby((lobby) => lobby.users.length);
  return (
    <>
      <h1>Who is here</h1>
      <p role="status">{status === "live" ? `${users.length} here, ${online} online` : status}</p>
      <ul>
        {users.map((user) => (
          <li key={user.id} style={{ borderColor: user.color }}>
            {user.name}
            {user.self && " (you)"} {user.status === "online" ? `looks at ${user.meta.viewing}` : user.status}
          </li>
        ))}
      </ul>
      <label>
        You look at <input value={viewing} onChange={(event) => setViewing(event.target.value)} />
      </label>
    </>
  );
}

createRoot(/** @type {HTMLElement} */ (document.getElementById("root"))).render(
  <StrictMode>
    <PresenceProvider presence={presence}>
      <People />
    </PresenceProvider>
  </StrictMode>,
);
