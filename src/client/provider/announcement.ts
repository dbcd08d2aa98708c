/**
 * What all rooms of this client announce alike: when it changes, the relay is told once, and makes the change in the state that it
 * holds in each room. Whatever else is to be said in a room, its `Outbound` says by itself. [LINK-13]
 */
import { SESSION_FIELDS, type SessionChange } from "../../wire/index.ts";
import type { OwnSession } from "../session.ts";

/** The own state in one room. */
export interface AnnouncedRoom {
  /**
   * Works out what the relay holds once it has made a change. Returns what takes note of that; null: it would be more than the relay
   * takes; undefined: the relay holds no state.
   */
  afterChange(change: SessionChange): (() => void) | null | undefined;
}

/** The connection on which it is told. */
export interface AnnouncementLink {
  /** The relay takes changes so. */
  readonly takesSession: boolean;
  tell(change: SessionChange): void;
  /** Something was sent: a relay that has said nothing for long is asked whether it hears. */
  doubt(): void;
}

export interface Announcement {
  readonly rooms: Set<AnnouncedRoom>;
  /** Tells what changed of the session, before a room says anything that builds on it. */
  flush(): void;
}

type Members = Record<string, unknown>;

/** Says what changed of a session once for all rooms. */
export function announcementOf(session: Pick<OwnSession, "announce" | "on">, link: AnnouncementLink): Announcement {
  const rooms = new Set<AnnouncedRoom>();
  let last = announced();
  let isDue = false;
  session.on("change", () => (isDue = true));

  function announced(): Readonly<Record<(typeof SESSION_FIELDS)[number], Members>> {
    // the metadata are each room's own
    const { user, copresence } = session.announce(null);
    return { user: { ...user }, copresence: { ...copresence } };
  }

  /** What changed. Of the user only texts: what else the application says of one, each room says by itself, or refuses. [CLIENT-3] */
  function takeChange(): SessionChange {
    const before = last;
    last = announced();
    const change = { kind: "session", user: {} as Members, copresence: {} as Members } as const;
    for (const name of SESSION_FIELDS) {
      for (const [key, value] of Object.entries(last[name])) {
        if (value !== before[name][key] && (typeof value === "string" || name !== "user")) change[name][key] = value;
      }
    }
    return change;
  }

  return {
    rooms,
    flush() {
      if (!isDue) return;
      isDue = false;
      const change = takeChange();
      const after = [...rooms].map((room) => room.afterChange(change));
      // in one room alone, what it says by itself is shorter
      if (!link.takesSession || after.includes(null) || after.filter(Boolean).length < 2) return;
      link.tell(change);
      for (const note of after) note?.();
      link.doubt();
    },
  };
}
