import type { Room } from "copresence";
import { useOthers } from "copresence/react";
import { type RefObject } from "react";
import { Icon } from "../icons.tsx";
import { isWriting, nameOf } from "../presence.ts";
import type { Reactions } from "../reactions.ts";
import { AvatarStack } from "./AvatarStack.tsx";
import { ReactButton } from "./ReactButton.tsx";

interface Props {
  room: Room | null;
  reactions: Reactions;
  sidebar: boolean;
  log: boolean;
  menuButton: RefObject<HTMLButtonElement | null>;
  logButton: RefObject<HTMLButtonElement | null>;
  onSidebar: () => void;
  onLog: () => void;
}

export function TopBar({ room, reactions, sidebar, log, menuButton, logButton, onSidebar, onLog }: Props) {
  return (
    <header className="topbar">
      <button
        ref={menuButton}
        className="quiet only-narrow"
        aria-label="Documents and people"
        aria-expanded={sidebar}
        onClick={onSidebar}
      >
        <Icon name="menu" />
      </button>
      <Writing room={room} />
      <ReactButton onReact={reactions.send} />
      <AvatarStack room={room} reactions={reactions.shown} />
      <button
        ref={logButton}
        className="quiet"
        aria-label="Activity"
        title="Activity"
        aria-expanded={log}
        onClick={onLog}
      >
        <Icon name="log" />
      </button>
    </header>
  );
}

const list = new Intl.ListFormat("en", { style: "long", type: "conjunction" });

/** Who writes at this moment. */
function Writing({ room }: { room: Room | null }) {
  const names = useOthers(room, (users) => users.filter((user) => isWriting(user) && !user.reconnecting).map(nameOf));
  return (
    <p className="writing">
      {names.length > 0 && (
        <>
          <span className="ellipsis" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span className="writing-names">
            {names.length > 2
              ? `${names.length} people`
              : list
                  .formatToParts(names)
                  .map(({ type, value }, at) => (type === "element" ? <bdi key={at}>{value}</bdi> : value))}
            {names.length > 1 ? " are writing" : " is writing"}
          </span>
        </>
      )}
    </p>
  );
}
