/** The last joins, leaves and updates of the lobby and of the open document, newest first. */
import type { PresenceEvent, Room } from "copresence";
import { usePresence } from "copresence/react";
import { memo, useEffect, useRef, useState, type RefObject } from "react";
import { who } from "./Avatar.tsx";
import { describeLobby, describeRoom, type Description } from "./describe.ts";
import { Icon } from "./icons.tsx";
import { Name } from "./Name.tsx";
import { nameOf } from "./presence.ts";
import { useDrawer } from "./useDrawer.ts";

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

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", hourCycle: "h23" });

interface Props {
  room: Room | null;
  shown: boolean;
  /** It lies over the page, as on a phone. */
  over: boolean;
  opener: RefObject<HTMLElement | null>;
  onClose: () => void;
}

export const EventLog = memo(function EventLog({ room, shown, over, opener, onClose }: Props) {
  const entries = useEntries(room);
  const drawer = useRef<HTMLDivElement>(null);
  useDrawer(drawer, opener, over, onClose);
  const role = over ? ({ role: "dialog", "aria-modal": true } as const) : ({ role: "complementary" } as const);
  return (
    // it scrolls, and holds nothing else that the keyboard could scroll it by
    <div className="log" ref={drawer} aria-label="Activity" hidden={!shown} tabIndex={0} {...role}>
      <div className="label-row">
        <h2 className="label">Activity</h2>
        {over && (
          <button className="quiet" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        )}
      </div>
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
              <b>
                <Name>{nameOf(event.user)}</Name>
              </b>{" "}
              {text}
            </span>
            <time dateTime={new Date(event.timestamp).toISOString()}>{clock.format(event.timestamp)}</time>
          </li>
        ))}
      </ol>
    </div>
  );
});
