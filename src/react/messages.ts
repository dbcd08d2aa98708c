import { useCallback, useEffect, useRef } from "react";
import type { Json, RoomMessage, Unsubscribe } from "../client/index.ts";

/** A room, as far as messages go. */
interface Talking {
  broadcast(type: string, payload?: Json): boolean;
  on(type: "message", listener: (message: RoomMessage) => void): Unsubscribe;
}

/** Sends a one-off message. Returns whether it went out. */
export type Broadcast = (type: string, payload?: Json) => boolean;

/**
 * A function that sends one-off messages to everybody else in a room: `room.broadcast`. It is the same function while the room is
 * the same, and sends nothing (false) for null, a room that is not joined yet. [REACT-8]
 */
export function useBroadcast(room: Talking | null): Broadcast {
  return useCallback((type, payload) => room?.broadcast(type, payload) ?? false, [room]);
}

/** Calls back with each one-off message in a room. @param listener may be a new function at each render. [REACT-8] */
export function useMessages(room: Talking | null, listener: (message: RoomMessage) => void): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => room?.on("message", (message) => latest.current(message)), [room]);
}
