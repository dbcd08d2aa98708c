import type { Room } from "copresence";
import { useLobby } from "copresence/react";
import { memo } from "react";
import { Documents } from "./Documents.tsx";
import { People } from "./People.tsx";
import { Recent } from "./Recent.tsx";
import { You } from "./You.tsx";

const words = { connecting: "Connecting", live: "Live", stale: "Out of date" };

export const Sidebar = memo(function Sidebar({ current, room }: { current: string; room: Room | null }) {
  const status = useLobby((lobby) => lobby.status);
  return (
    <nav className="sidebar" aria-label="Documents and people" data-status={status}>
      <header className="brand">
        <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
          <circle cx="12" cy="16" r="9" />
          <circle cx="20" cy="16" r="9" />
        </svg>
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
