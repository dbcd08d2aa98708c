import type { Room } from "copresence";
import { useLobby } from "copresence/react";
import { memo } from "react";
import { Mark } from "../icons.tsx";
import { Documents } from "./Documents.tsx";
import { People } from "./People.tsx";
import { Recent } from "./Recent.tsx";
import { You } from "./You.tsx";

const words = { connecting: "Connecting", live: "Live", stale: "Out of date", refused: "Refused" };

export const Sidebar = memo(function Sidebar({ current, room }: { current: string; room: Room | null }) {
  const status = useLobby((lobby) => lobby.status);
  return (
    <nav className="sidebar" aria-label="Documents and people" data-status={status}>
      <header className="brand">
        <Mark />
        <h1>Quire</h1>
        <span className="live" data-testid="roster-status" data-status={status}>
          {words[status]}
        </span>
      </header>
      <div className="sidebar-scroll">
        <Documents current={current} />
        <People room={room} />
        <Recent />
      </div>
      <You />
    </nav>
  );
});
