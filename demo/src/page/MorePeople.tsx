/** Those for whom there is no room at the top: their number, which opens the list of them. */
import type { Room, User } from "copresence";
import { useId } from "react";
import { doingOf } from "../doing.ts";
import { PersonLine } from "../PersonLine.tsx";
import { usePanel } from "../usePanel.ts";
import { reveal } from "./caret.ts";

export function MorePeople({ users, room }: { users: readonly User<unknown>[]; room: Room | null }) {
  const { isOpen, root, button, toggle, close, onKeyDown } = usePanel<HTMLDivElement>();
  const list = useId();

  return (
    <div className="more" ref={root} onKeyDown={onKeyDown}>
      <button
        ref={button}
        className="stack-more"
        data-testid="more-people"
        aria-label={`+${users.length}: ${users.length === 1 ? "one more person" : `${users.length} more people`} here`}
        aria-expanded={isOpen}
        aria-controls={isOpen ? list : undefined}
        onClick={toggle}
      >
        +{users.length}
      </button>
      {isOpen && (
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
                <PersonLine user={user}>{doingOf(user)}</PersonLine>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
