import { useRoom } from "copresence/react";
import { useEffect, useState } from "react";
import { Banner } from "./Banner.tsx";
import { titleOf, useDocument } from "./documents.ts";
import { EventLog } from "./EventLog.tsx";
import { Page } from "./page/Page.tsx";
import { TopBar } from "./page/TopBar.tsx";
import type { RoomMeta } from "./presence.ts";
import { Sidebar } from "./sidebar/Sidebar.tsx";

const arrival = { meta: { doing: "reading" } satisfies RoomMeta };

export function App() {
  const name = useDocument();
  const room = useRoom(name, arrival);
  // on a narrow window: opened over this document, and closed by opening another
  const [sidebarOver, setSidebarOver] = useState<string | null>(null);
  const sidebar = sidebarOver === name;
  const [log, setLog] = useState(() => matchMedia("(min-width: 1101px)").matches);

  useEffect(() => {
    document.title = `${titleOf(name)} — Quire`;
  }, [name]);

  return (
    <div className="app" data-sidebar={sidebar} data-log={log}>
      <Sidebar current={name} room={room} />
      <button
        className="scrim"
        aria-label="Close"
        tabIndex={-1}
        onClick={() => (setSidebarOver(null), setLog(false))}
      />
      <main className="main">
        <TopBar
          room={room}
          log={log}
          sidebar={sidebar}
          onLog={() => setLog(!log)}
          onSidebar={() => setSidebarOver(sidebar ? null : name)}
        />
        <Banner room={room} />
        <Page key={name} name={name} room={room} />
      </main>
      <EventLog room={room} shown={log} />
    </div>
  );
}
