import type { Room } from "copresence";
import { useOthers } from "copresence/react";
import { Icon } from "../icons.tsx";
import { isWriting, nameOf } from "../presence.ts";
import { AvatarStack } from "./AvatarStack.tsx";

interface Props {
  room: Room | null;
  sidebar: boolean;
  log: boolean;
  onSidebar: () => void;
  onLog: () => void;
}

export function TopBar({ room, sidebar, log, onSidebar, onLog }: Props) {
  return (
    <header className="topbar">
      <button
        className="quiet only-narrow"
        aria-label="Documents and people"
        aria-expanded={sidebar}
        onClick={onSidebar}
      >
        <Icon name="menu" />
      </button>
      <Writing room={room} />
      <AvatarStack room={room} />
      <button className="quiet" aria-label="Activity" title="Activity" aria-pressed={log} onClick={onLog}>
        <Icon name="log" />
      </button>
    </header>
  );
}

const list = new Intl.ListFormat("en", { style: "long", type: "conjunction" });

/** Who writes at this moment. */
function Writing({ room }: { room: Room | null }) {
  const text = useOthers(room, (users) => {
    const names = users.filter((user) => isWriting(user) && !user.reconnecting).map(nameOf);
    if (names.length > 2) return `${names.length} people are writing`;
    return names.length === 0 ? "" : `${list.format(names)} ${names.length > 1 ? "are" : "is"} writing`;
  });
  return (
    <p className="writing">
      {text && (
        <>
          <span className="ellipsis" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span className="writing-names">{text}</span>
        </>
      )}
    </p>
  );
}
