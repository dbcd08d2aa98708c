import type { Room, User } from "copresence";
import { useUsers } from "copresence/react";
import { memo } from "react";
import { Avatar } from "../Avatar.tsx";
import { StatusGlyph, statusNames } from "../icons.tsx";
import { activityOf, nameOf } from "../presence.ts";
import { reveal } from "./caret.ts";

const SHOWN = 6;

/** The people in the document; a press on one of them shows where they are in the text. */
export function AvatarStack({ room }: { room: Room | null }) {
  const users = useUsers(room);
  const [own, others] = [users.filter((user) => user.self), users.filter((user) => !user.self)];
  const ordered = [...others, ...own];
  const more = ordered.slice(SHOWN);
  return (
    <ul className="stack" aria-label="In this document">
      {more.length > 0 && (
        <li className="stack-more" title={more.map(nameOf).join(", ")}>
          +{more.length}
        </li>
      )}
      {ordered.slice(0, SHOWN).map((user, index) => (
        <li key={user.id} style={{ zIndex: SHOWN - index }}>
          <StackAvatar user={user} room={room} />
        </li>
      ))}
    </ul>
  );
}

const StackAvatar = memo(function StackAvatar({ user, room }: { user: User<unknown>; room: Room | null }) {
  const status = user.manual === "invisible" ? "invisible" : user.status;
  const doing = user.reconnecting ? "Reconnecting…" : status === "online" ? activityOf(user) : statusNames[status];
  return (
    <button
      className="stack-avatar"
      data-testid={`avatar-${user.id}`}
      data-status={user.status}
      data-reconnecting={user.reconnecting}
      aria-label={`${nameOf(user)}${user.self ? " (you)" : ""}, ${doing || statusNames[status]}`}
      onClick={() => room && reveal(room, user)}
    >
      <Avatar person={user}>{status !== "online" && <StatusGlyph status={status} />}</Avatar>
      <span className="tip" aria-hidden="true">
        <b>{user.self ? "You" : nameOf(user)}</b>
        {doing && <span>{doing}</span>}
      </span>
    </button>
  );
});
