import type { Room } from "copresence";
import { useConnectionStatus } from "copresence/react";
import { memo, useRef, type RefObject } from "react";
import { Icon, Mark } from "../icons.tsx";
import { useDrawer } from "../useDrawer.ts";
import { Documents } from "./Documents.tsx";
import { People } from "./People.tsx";
import { Recent } from "./Recent.tsx";
import { You } from "./You.tsx";

const words = { connecting: "Connecting", live: "Live", stale: "Out of date", refused: "Refused" } as const;

interface Props {
  current: string;
  room: Room | null;
  /** It lies over the page, as on a phone. */
  over: boolean;
  opener: RefObject<HTMLElement | null>;
  onClose: () => void;
}

export const Sidebar = memo(function Sidebar({ current, room, over, opener, onClose }: Props) {
  const status = useConnectionStatus();
  const drawer = useRef<HTMLDivElement>(null);
  useDrawer(drawer, opener, over, onClose);
  const dialog = over && ({ role: "dialog", "aria-modal": true, "aria-label": "Documents and people" } as const);
  return (
    <div className="sidebar" ref={drawer} data-status={status} {...dialog}>
      <nav aria-label="Documents and people">
        <header className="brand">
          <Mark />
          <p>Quire</p>
          <span className="live" data-testid="roster-status" data-status={status}>
            {words[status]}
          </span>
          <button className="quiet only-narrow" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        <div className="sidebar-scroll">
          <Documents current={current} />
          <People room={room} />
          <Recent />
        </div>
        <You />
      </nav>
    </div>
  );
});
