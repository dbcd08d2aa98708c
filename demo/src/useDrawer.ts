import { useEffect, useEffectEvent, type RefObject } from "react";

const FOCUSABLE = 'a[href], button, input, [tabindex="0"]';

function tabStops(drawer: HTMLElement): HTMLElement[] {
  const found = [...drawer.querySelectorAll<HTMLElement>(FOCUSABLE)];
  return found.filter((element) => element.tabIndex >= 0 && element.checkVisibility({ visibilityProperty: true }));
}

/**
 * What a drawer that lies over the page does with the keyboard: it takes the focus when it opens and keeps it, closes with
 * Escape, and then gives the focus back to the button that opened it. The page below is to be `inert` meanwhile.
 *
 * @param open false also while it stands beside the page, and is no drawer
 */
export function useDrawer(
  drawer: RefObject<HTMLElement | null>,
  opener: RefObject<HTMLElement | null>,
  open: boolean,
  close: () => void,
): void {
  const closeNow = useEffectEvent(close);

  useEffect(() => {
    const element = drawer.current;
    const button = opener.current;
    if (!open || element === null) return;
    tabStops(element)[0]?.focus();

    const onKey = (event: KeyboardEvent) => {
      // what is open within the drawer closes first
      if (event.key === "Escape" && !event.defaultPrevented) closeNow();
      if (event.key !== "Tab") return;
      const stops = tabStops(element);
      const [first, last] = [stops[0], stops.at(-1)];
      const inside = element.contains(document.activeElement);
      const leaves = document.activeElement === (event.shiftKey ? first : last);
      if (inside && !leaves) return;
      event.preventDefault();
      (event.shiftKey ? last : first)?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
      button?.focus();
    };
  }, [drawer, opener, open]);
}
