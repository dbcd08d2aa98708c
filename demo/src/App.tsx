import { useRoom } from "copresence/react";
import { useCallback, useEffect, useRef, useState } from "react";
import { Announcer } from "./Announcer.tsx";
import { Banner } from "./Banner.tsx";
import { titleOf, useDocument } from "./documents.ts";
import { EventLog } from "./EventLog.tsx";
import { Page } from "./page/Page.tsx";
import { TopBar } from "./page/TopBar.tsx";
import type { RoomMeta } from "./presence.ts";
import { useReactions } from "./reactions.ts";
import { Sidebar } from "./sidebar/Sidebar.tsx";
import { useMedia } from "./useMedia.ts";

const arrival = { meta: { doing: "reading" } satisfies RoomMeta };

/** On a narrow window the side bar, and on a medium one the log, is a drawer over the document. */
interface Drawer {
  readonly which: "sidebar" | "log";
  /** Opened over this document, and closed by opening another. */
  readonly document: string;
}

export function App() {
  const name = useDocument();
  const room = useRoom(name, arrival);
  const reactions = useReactions(room);
  const sidebarIsDrawer = useMedia("(max-width: 760px)");
  const logIsDrawer = useMedia("(max-width: 1100px)");
  const [drawer, setDrawer] = useState<Drawer | null>(null);
  const [logDocked, setLogDocked] = useState(true);
  const menuButton = useRef<HTMLButtonElement>(null);
  const logButton = useRef<HTMLButtonElement>(null);

  const over = drawer?.document === name ? drawer.which : null;
  const sidebarOver = sidebarIsDrawer && over === "sidebar";
  const logOver = logIsDrawer && over === "log";
  const log = logIsDrawer ? logOver : logDocked;
  const close = useCallback(() => setDrawer(null), []);
  const toggle = (which: Drawer["which"]) => setDrawer(over === which ? null : { which, document: name });

  useEffect(() => {
    document.title = `${titleOf(name)} — Quire`;
  }, [name]);

  return (
    <div className="app" data-sidebar={sidebarOver} data-log={log}>
      <Sidebar current={name} room={room} over={sidebarOver} opener={menuButton} onClose={close} />
      <div className="scrim" aria-hidden="true" onClick={close} />
      <main className="main" inert={sidebarOver || logOver}>
        <TopBar
          room={room}
          reactions={reactions}
          log={log}
          sidebar={sidebarOver}
          menuButton={menuButton}
          logButton={logButton}
          onLog={() => (logIsDrawer ? toggle("log") : setLogDocked(!logDocked))}
          onSidebar={() => toggle("sidebar")}
        />
        <Banner room={room} />
        <Page key={name} name={name} room={room} reactions={reactions.shown} />
      </main>
      <EventLog room={room} shown={log} over={logOver} opener={logButton} onClose={close} />
      <Announcer room={room} />
    </div>
  );
}
