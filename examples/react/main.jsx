import { createPresence } from "copresence";
import { PresenceProvider, useConnectionStatus, useLobby, useRoom, useUsers } from "copresence/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

// who you are: here a name for each browser, in your application whoever is signed in
const id = (localStorage.id ??= `guest-${Math.floor(Math.random() * 10_000)}`);
const relay = new URLSearchParams(location.search).get("relay") ?? "ws://localhost:1234";
const presence = createPresence(relay, { user: { id, name: id } });

function People() {
  const room = useRoom("react", { meta: { viewing: "page 1" } });
  const users = useUsers(room);
  const status = useConnectionStatus(room);
  const online = useLobby((lobby) => lobby.users.length);
  return (
    <>
      <h1>Who is here</h1>
      <p role="status">{status === "live" ? `${users.length} here, ${online} online` : status}</p>
      <ul>
        {users.map((user) => (
          <li key={user.id} style={{ "--color": user.color }}>
            {user.name}
            {user.self && " (you)"} {user.status === "online" ? `looks at ${user.meta.viewing}` : user.status}
          </li>
        ))}
      </ul>
      <label>
        You look at <input defaultValue="page 1" onChange={(event) => room?.setMeta({ viewing: event.target.value })} />
      </label>
    </>
  );
}

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <PresenceProvider presence={presence}>
      <People />
    </PresenceProvider>
  </StrictMode>,
);
