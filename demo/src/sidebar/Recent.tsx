import { useLobby } from "copresence/react";
import { ago } from "../ago.ts";
import { Avatar } from "../Avatar.tsx";
import { Name } from "../Name.tsx";
import { nameOf } from "../presence.ts";
import { useNow } from "../useNow.ts";

const SHOWN = 6;

/** Those who left, and when they were last seen. */
export function Recent() {
  const recent = useLobby((lobby) => lobby.recent);
  const now = useNow(15_000);
  if (recent.length === 0) return null;
  return (
    <section aria-labelledby="recent">
      <h2 className="label" id="recent">
        Last seen
      </h2>
      <ul>
        {recent.slice(0, SHOWN).map((user) => (
          <li key={user.id} className="row person gone" data-testid={`recent-${user.id}`}>
            <Avatar person={user} />
            <span className="row-name">
              <Name>{nameOf(user)}</Name>
            </span>
            <time className="seen" dateTime={new Date(user.lastSeen).toISOString()}>
              <span className="sr">last seen </span>
              {ago(user.lastSeen, now)}
            </time>
          </li>
        ))}
      </ul>
    </section>
  );
}
