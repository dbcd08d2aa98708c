import { useEffect, useRef, useState } from "react";
import type { Room, RoomOptions } from "../client/index.ts";
import { usePresence } from "./provider.tsx";
import type { RoomMeta } from "./register.ts";

/**
 * Is in a room for as long as the component is mounted.
 *
 * @param name null for none
 * @param options.meta may be a new object at each render; it is announced when it differs
 * @returns null at first, on the server, and while the provider has no client
 */
export function useRoom(name: string | null, options: RoomOptions<RoomMeta> = {}): Room<RoomMeta> | null {
  const presence = usePresence();
  const [room, setRoom] = useState<Room<RoomMeta> | null>(null);
  const { doc, meta } = options;
  const latestMeta = useRef(meta);

  useEffect(() => {
    latestMeta.current = meta;
    if (meta !== undefined) room?.setMeta(meta);
  }, [room, meta]);

  useEffect(() => {
    if (presence === null || name === null) return;
    const joined = presence.join(name, {
      ...(doc !== undefined && { doc }),
      ...(latestMeta.current !== undefined && { meta: latestMeta.current }),
    });
    setRoom(joined);
    return () => {
      setRoom(null);
      // a remount in the same turn (StrictMode, a key that changed) joins before this leaves: nobody sees a blink
      setTimeout(() => joined.leave(), 0);
    };
  }, [presence, name, doc]);

  return room?.name === name ? room : null;
}
