/** Those for whom there is no room at the top: their number, which opens the list of them. */
import type { Room, User } from "copresence";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { Avatar } from "../Avatar.tsx";
import { doingOf } from "../doing.ts";
import { StatusGlyph } from "../icons.tsx";
import { Name } from "../Name.tsx";
import { nameOf } from "../presence.ts";
import { reveal } from "./caret.ts";

export function MorePeople({ users, room }: { users: readonly User<unknown>[]; room: Room | null }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useId();

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
    event.preventDefault();
    close();
  };

  return (
    <div className="more" ref={root} onKeyDown={onKey}>
      <button
        ref={button}
        className="stack-more"
        data-testid="more-people"
        aria-label={`+${users.length}: ${users.length === 1 ? "one more person" : `${users.length} more people`} here`}
        aria-expanded={open}
        aria-controls={open ? list : undefined}
        onClick={() => setOpen(!open)}
      >
        +{users.length}
      </button>
      {open && (
        <ul className="panel more-list" id={list} aria-label="Also in this document" data-testid="more-list">
          {users.map((user) => (
            <li key={user.id}>
              <button
                className="row"
                data-testid={`more-${user.id}`}
                onClick={() => {
                  if (room) reveal(room, user);
                  close();
                }}
              >
                <Avatar person={user}>
                  <StatusGlyph status={user.manual === "invisible" ? "invisible" : user.status} />
                </Avatar>
                <span className="row-name">
                  <span className="row-title">
                    <Name>{nameOf(user)}</Name>
                    {user.self && <span className="you">you</span>}
                  </span>
                  <span className="row-more">{doingOf(user)}</span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
