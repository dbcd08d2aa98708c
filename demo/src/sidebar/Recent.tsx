import { useLobby } from "copresence/react";
import { Avatar } from "../Avatar.tsx";
import { nameOf } from "../presence.ts";
import { useNow } from "../useNow.ts";

const SHOWN = 6;
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });

function ago(at: number, now: number): string {
  const seconds = Math.max(0, (now - at) / 1000);
  if (seconds < 45) return "just now";
  if (seconds < 3600) return relative.format(-Math.max(1, Math.round(seconds / 60)), "minute");
  if (seconds < 86_400) return relative.format(-Math.round(seconds / 3600), "hour");
  return relative.format(-Math.round(seconds / 86_400), "day");
}

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
            <span className="row-name">{nameOf(user)}</span>
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
