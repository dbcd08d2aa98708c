/** Oneself, at the foot of the side bar: the status menu, and one's name, colour and note. */
import { useStatus } from "copresence/react";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Avatar } from "../Avatar.tsx";
import { identity } from "../identity.ts";
import { Icon, StatusGlyph, statusNames } from "../icons.tsx";
import { Profile } from "./Profile.tsx";
import { StatusMenu } from "./StatusMenu.tsx";

export function You() {
  const me = useSyncExternalStore(identity.subscribe, identity.get);
  const [status] = useStatus();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => !root.current?.contains(event.target as Node) && setOpen(false);
    addEventListener("pointerdown", outside);
    addEventListener("focusin", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("focusin", outside);
    };
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };

  return (
    <footer className="me" ref={root} onKeyDown={(event) => event.key === "Escape" && open && close()}>
      {open && (
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
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Avatar person={{ ...me, guest: false }}>
          <StatusGlyph status={status} />
        </Avatar>
        <span className="row-name">
          {me.name}
          <span className="row-more">{statusNames[status]}</span>
        </span>
        <Icon name="chevron" />
      </button>
    </footer>
  );
}
