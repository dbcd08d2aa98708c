import { useEffect, useRef, useState } from "react";
import type { JoinArguments, Presence, Room, RoomOptions } from "../client/index.ts";
import { usePresence } from "./provider.tsx";
import type { Meta, RoomMeta } from "./register.ts";

interface Joined {
  readonly presence: Presence<Meta, RoomMeta>;
  readonly doc: RoomOptions["doc"];
  readonly room: Room<RoomMeta>;
}

/** Rooms that are left at the end of this turn. */
const leaving = new Set<Joined>();

/**
 * Is in a room for as long as the component is mounted.
 *
 * @param name null for none
 * @param options.meta may be a new object at each render; it is announced when it differs
 * @returns null at first, on the server, and while the provider has no client
 */
export function useRoom(name: string | null, ...[options]: JoinArguments<RoomMeta>): Room<RoomMeta> | null {
  const presence = usePresence();
  const [joined, setJoined] = useState<Joined | null>(null);
  const { doc, meta } = options ?? {};
  const latestMeta = useRef(meta);

  useEffect(() => {
    latestMeta.current = meta;
    if (meta !== undefined) joined?.room.setMeta(meta);
  }, [joined, meta]);

  useEffect(() => {
    if (presence === null || name === null) return;
    leaveOther(presence, name, doc);
    const room = presence.join(name, {
      ...(doc !== undefined && { doc }),
      ...(latestMeta.current !== undefined && { meta: latestMeta.current }),
    });
    const next: Joined = { presence, doc, room };
    setJoined(next);
    return () => {
      setJoined(null);
      // a remount in the same turn (StrictMode, a key that changed) joins before this leaves: nobody sees a blink [REACT-2]
      leaving.add(next);
      setTimeout(() => leave(next), 0);
    };
  }, [presence, name, doc]);

  return joined?.presence === presence && joined?.room.name === name && joined.doc === doc ? joined.room : null;
}

function leave(joined: Joined): void {
  if (leaving.delete(joined)) joined.room.leave();
}

/** A room is one document: what is about to be left with another must be left first. */
function leaveOther(presence: Joined["presence"], name: string, doc: Joined["doc"]): void {
  for (const joined of leaving) {
    if (joined.presence === presence && joined.room.name === name && joined.doc !== doc) leave(joined);
  }
}
