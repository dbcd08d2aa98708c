import { useEffect, useRef, useState, type KeyboardEvent, type RefObject } from "react";

interface Panel<Root extends HTMLElement> {
  readonly isOpen: boolean;
  /** For the element that holds the button and the panel. */
  readonly root: RefObject<Root | null>;
  /** For the button that opens and closes the panel. */
  readonly button: RefObject<HTMLButtonElement | null>;
  toggle(): void;
  /** Closes the panel, and gives the focus back to the button. */
  close(): void;
  /** For the element that holds both, too. */
  onKeyDown(event: KeyboardEvent): void;
}

/**
 * A panel that a button opens. Escape closes it and gives the focus back to the button; a press or the focus elsewhere
 * closes it and leaves the focus where it went.
 */
export function usePanel<Root extends HTMLElement>(): Panel<Root> {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<Root>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!isOpen) return;
    const outside = (event: Event) => !root.current?.contains(event.target as Node) && setOpen(false);
    addEventListener("pointerdown", outside);
    addEventListener("focusin", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("focusin", outside);
    };
  }, [isOpen]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    // the panel alone: a drawer that it is in stays open
    event.preventDefault();
    close();
  };
  return { isOpen, root, button, toggle: () => setOpen(!isOpen), close, onKeyDown };
}
