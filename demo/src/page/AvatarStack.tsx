import type { Room, User } from "copresence";
import { useUsers } from "copresence/react";
import { memo } from "react";
import { Avatar, who } from "../Avatar.tsx";
import { doingOf, shownStatusOf } from "../doing.ts";
import { Icon, StatusGlyph } from "../icons.tsx";
import { Name } from "../Name.tsx";
import { nameOf } from "../presence.ts";
import { type Reaction, isOf } from "../reactions.ts";
import { useMedia } from "../useMedia.ts";
import { reveal } from "./caret.ts";
import { MorePeople } from "./MorePeople.tsx";

/** The people in the document; a press on one of them shows where they are in the text. */
export function AvatarStack({ room, reactions }: { room: Room | null; reactions: readonly Reaction[] }) {
  const users = useUsers(room);
  const shown = useMedia("(max-width: 760px)") ? 3 : 6;
  const [own, others] = [users.filter((user) => user.self), users.filter((user) => !user.self)];
  const ordered = [...others, ...own];
  const more = ordered.slice(shown);
  return (
    <ul className="stack" aria-label="In this document">
      {more.length > 0 && (
        <li>
          <MorePeople users={more} room={room} />
        </li>
      )}
      {ordered.slice(0, shown).map((user, index) => (
        <li key={user.id} style={{ zIndex: shown - index }}>
          <StackAvatar user={user} room={room} reaction={reactions.findLast((each) => isOf(each, user)) ?? null} />
        </li>
      ))}
    </ul>
  );
}

interface StackProps {
  user: User<unknown>;
  room: Room | null;
  /** The user's last, while it is shown. */
  reaction: Reaction | null;
}

const StackAvatar = memo(function StackAvatar({ user, room, reaction }: StackProps) {
  const status = shownStatusOf(user);
  const doing = doingOf(user);
  return (
    <button
      className="stack-avatar"
      data-testid={`avatar-${user.id}`}
      data-status={user.status}
      data-reconnecting={user.reconnecting}
      onClick={() => room && reveal(room, user)}
    >
      {reaction && (
        <span key={reaction.key} className="stack-reaction" style={who(user)} aria-hidden="true">
          <Icon name={reaction.kind} />
        </span>
      )}
      <Avatar person={user}>{status !== "online" && <StatusGlyph status={status} />}</Avatar>
      <span className="sr">
        <Name>{nameOf(user)}</Name>
        {user.self ? " (you)" : ""}, {doing}
      </span>
      <span className="tip" aria-hidden="true">
        <b>{user.self ? "You" : <Name>{nameOf(user)}</Name>}</b>
        <span>{doing}</span>
      </span>
    </button>
  );
});
