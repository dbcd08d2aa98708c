/** Oneself, at the foot of the side bar: the status menu, and one's name, colour and note. */
import { useStatus } from "copresence/react";
import { useEffect, useRef, useState, useSyncExternalStore, type KeyboardEvent } from "react";
import { Avatar } from "../Avatar.tsx";
import { identity } from "../identity.ts";
import { Icon, StatusGlyph, statusNames } from "../icons.tsx";
import { Name } from "../Name.tsx";
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

  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    // this alone: the drawer that it is in stays open
    event.preventDefault();
    close();
  };

  return (
    <footer className="me" ref={root} onKeyDown={onKey}>
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
          <Name>{me.name}</Name>
          <span className="row-more">{statusNames[status]}</span>
        </span>
        <Icon name="chevron" />
      </button>
    </footer>
  );
}
