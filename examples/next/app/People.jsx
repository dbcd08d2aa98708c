"use client";

import { createPresence } from "copresence";
import {
  PresenceProvider,
  useConnectionStatus,
  useLobby,
  usePresenceClient,
  useRoom,
  useUsers,
} from "copresence/react";
import { useState } from "react";

/** Makes the client in the browser, for as long as the page is open; on the server there is none, and nobody is online. */
export function People({ room }) {
  const presence = usePresenceClient(() => {
    // who you are: here a name for each browser, in your application the person who is signed in
    const query = new URLSearchParams(location.search);
    const name = query.get("name") ?? (localStorage.id ??= `guest-${Math.floor(Math.random() * 10_000)}`);
    const relay = query.get("relay") ?? "ws://localhost:1234";
    return createPresence(relay, { user: { id: name.toLowerCase(), name } });
  }, []);
  return (
    <PresenceProvider presence={presence}>
      <Roster name={room} />
    </PresenceProvider>
  );
}

function Roster({ name }) {
  const [viewing, setViewing] = useState("page 1");
  const room = useRoom(name, { meta: { viewing } });
  const users = useUsers(room);
  const status = useConnectionStatus(room);
  const online = useLobby((lobby) => lobby.users.length);
  return (
    <>
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
