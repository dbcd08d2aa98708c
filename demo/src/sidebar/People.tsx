import type { Room, User } from "copresence";
import { useLobby, useUsers } from "copresence/react";
import { memo } from "react";
import { hrefOf, titleOf } from "../documents.ts";
import { shownStatusOf } from "../doing.ts";
import { DeviceIcon, statusNames } from "../icons.tsx";
import { PersonLine } from "../PersonLine.tsx";
import { activityOf, noteOf } from "../presence.ts";

/** Everyone online, oneself first. */
export function People({ room }: { room: Room | null }) {
  const users = useLobby((lobby) => lobby.users);
  const synced = useLobby((lobby) => lobby.synced);
  const [own, others] = [users.filter((user) => user.self), users.filter((user) => !user.self)];
  return (
    <section aria-labelledby="people">
      <h2 className="label" id="people">
        Online {users.length > 0 && <span className="count">{users.length}</span>}
      </h2>
      <ul>
        {[...own, ...others].map((user) => (
          <PersonRow key={user.id} user={user} room={room} />
        ))}
      </ul>
      {synced && others.length === 0 && (
        <p className="empty">Only you so far. Open this page in another window, or send somebody the link.</p>
      )}
    </section>
  );
}

const PersonRow = memo(function PersonRow({ user, room }: { user: User<unknown>; room: Room | null }) {
  const status = shownStatusOf(user);
  const place = user.rooms.find((name) => name === room?.name) ?? user.rooms[0];
  // what somebody does is the document's to know; only the words are selected, so only their change draws this row
  const doing = useUsers(room, (users) => activityOf(users.find(({ id }) => id === user.id) ?? { meta: null }));
  const note = noteOf(user);
  return (
    <li
      className="person"
      data-testid={`user-${user.id}`}
      data-status={user.status}
      data-device={user.device}
      data-reconnecting={user.reconnecting}
    >
      <a className="row" href={place === undefined ? undefined : hrefOf(place)}>
        <PersonLine user={user}>{note ? <q>{note}</q> : whereabouts(user, status, place, doing)}</PersonLine>
        {user.devices.map((device) => (
          <DeviceIcon key={device} device={device} />
        ))}
        <span className="sr">, {statusNames[status]}</span>
      </a>
    </li>
  );
});

function whereabouts(
  user: User<unknown>,
  status: keyof typeof statusNames,
  place: string | undefined,
  doing: string,
): string {
  if (user.reconnecting) return "Reconnecting…";
  const where = place === undefined ? "" : titleOf(place);
  if (status === "online") return doing || where || statusNames.online;
  return [statusNames[status], where].filter(Boolean).join(" · ");
}
