/** The last joins, leaves and updates of the lobby and of the open document, newest first. */
import type { PresenceEvent, Room } from "copresence";
import { usePresence } from "copresence/react";
import { memo, useEffect, useState } from "react";
import { who } from "./Avatar.tsx";
import { describeLobby, describeRoom, type Description } from "./describe.ts";
import { nameOf } from "./presence.ts";

interface Entry extends Description {
  readonly key: number;
  readonly event: PresenceEvent<unknown>;
}

const KEPT = 80;
let keys = 0;

function add(entries: readonly Entry[], event: PresenceEvent<unknown>, description: Description): Entry[] {
  const entry = { key: ++keys, event, ...description };
  // "is writing", "is reading", "is writing": the newest stands for all, though others did the same in between
  const end = event.type === "update" ? entries.findIndex(({ kind }) => kind !== entry.kind) : 0;
  const run = end < 0 ? entries : entries.slice(0, end);
  const others = run.filter((same) => same.event.userId !== event.userId);
  return [entry, ...others, ...entries.slice(run.length)].slice(0, KEPT);
}

function useEntries(room: Room | null): readonly Entry[] {
  const presence = usePresence();
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const name = room?.name ?? "";
  useEffect(() => {
    const log = (event: PresenceEvent<unknown>, description: Description | null) => {
      if (description !== null) setEntries((before) => add(before, event, description));
    };
    const undo = [
      presence?.lobby.on("event", (event) => log(event, describeLobby(event, name))),
      room?.roster.on("event", (event) => log(event, describeRoom(event, name))),
    ];
    return () => undo.forEach((off) => off?.());
  }, [presence, room, name]);
  return entries;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });

export const EventLog = memo(function EventLog({ room, shown }: { room: Room | null; shown: boolean }) {
  const entries = useEntries(room);
  // read out what matters, not each change between writing and reading
  const spoken = entries.find(({ kind }) => kind !== "activity");
  return (
    <aside className="log" aria-label="Activity" hidden={!shown}>
      <h2 className="label">Activity</h2>
      <p className="sr" role="status">
        {spoken && `${nameOf(spoken.event.user)} ${spoken.text}`}
      </p>
      {entries.length === 0 && <p className="empty">Arrivals, departures and changes will appear here.</p>}
      <ol>
        {entries.map(({ key, event, text }) => (
          <li
            key={key}
            className="entry"
            style={who(event.user)}
            data-testid="event"
            data-type={event.type}
            data-user={event.userId}
            data-room={event.roomId}
          >
            <span className="entry-mark" aria-hidden="true" />
            <span className="entry-text">
              <b>{nameOf(event.user)}</b> {text}
            </span>
            <time dateTime={new Date(event.timestamp).toISOString()}>{clock.format(event.timestamp)}</time>
          </li>
        ))}
      </ol>
    </aside>
  );
});
