/** Oneself, at the foot of the side bar: the status menu, and one's name, colour and note. */
import { useStatus } from "copresence/react";
import { useSyncExternalStore } from "react";
import { Avatar } from "../Avatar.tsx";
import { identity } from "../identity.ts";
import { Icon, StatusGlyph, statusNames } from "../icons.tsx";
import { Name } from "../Name.tsx";
import { usePanel } from "../usePanel.ts";
import { Profile } from "./Profile.tsx";
import { StatusMenu } from "./StatusMenu.tsx";

export function You() {
  const me = useSyncExternalStore(identity.subscribe, identity.get);
  const [status] = useStatus();
  const { isOpen, root, button, toggle, close, onKeyDown } = usePanel<HTMLElement>();

  return (
    <footer className="me" ref={root} onKeyDown={onKeyDown}>
      {isOpen && (
        <div className="panel" role="dialog" aria-label="You and your status">
          <StatusMenu onChoose={close} />
          <Profile me={me} />
        </div>
      )}
      <button
        ref={button}
        className="row me-button"
        data-testid="status-menu"
        data-status={status}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        onClick={toggle}
      >
        <Avatar person={{ ...me, guest: false }}>
          <StatusGlyph status={status} />
        </Avatar>
        <span className="row-name">
          <Name>{me.name}</Name>
          <span className="row-more">{statusNames[status]}</span>
        </span>
        <Icon name="chevron" />
      </button>
    </footer>
  );
}
