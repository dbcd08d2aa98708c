import type { Room } from "copresence";
import { useEffect, type RefObject } from "react";

/**
 * Where a pointer is over the page: `x` in widths of the text column, `y` in pixels below its top, so that windows of
 * different sizes agree on the word it points at.
 */
export interface PointerState {
  readonly x: number;
  readonly y: number;
}

const EVERY_MS = 40;

/** Shares one's own pointer while it is over the page. */
export function useOwnPointer(
  room: Room | null,
  scroller: RefObject<HTMLElement | null>,
  column: RefObject<HTMLElement | null>,
): void {
  useEffect(() => {
    const area = scroller.current;
    if (room === null || area === null) return;
    let at: { x: number; y: number } | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const send = () => {
      timer = undefined;
      const box = column.current?.getBoundingClientRect();
      const pointer: PointerState | null =
        at && box
          ? { x: Math.round(((at.x - box.left) / box.width) * 1e4) / 1e4, y: Math.round(at.y - box.top) }
          : null;
      room.awareness.setLocalStateField("pointer", pointer);
    };
    const sendSoon = () => (timer ??= setTimeout(send, EVERY_MS));
    const move = (event: PointerEvent) => {
      if (event.pointerType === "touch") return;
      at = { x: event.clientX, y: event.clientY };
      sendSoon();
    };
    const scroll = () => at && sendSoon();
    const leave = () => {
      if (at === null) return;
      at = null;
      clearTimeout(timer);
      send();
    };
    const hide = () => document.hidden && leave();

    area.addEventListener("pointermove", move);
    area.addEventListener("pointerleave", leave);
    area.addEventListener("scroll", scroll, { passive: true });
    document.addEventListener("visibilitychange", hide);
    return () => {
      area.removeEventListener("pointermove", move);
      area.removeEventListener("pointerleave", leave);
      area.removeEventListener("scroll", scroll);
      document.removeEventListener("visibilitychange", hide);
      leave();
    };
  }, [room, scroller, column]);
}
