/** A button, and Ctrl+. or ⌘. from wherever one is, that opens a row of reactions; there the digits send them, too. */
import { type KeyboardEvent, useEffect, useId, useRef } from "react";
import { Icon } from "../icons.tsx";
import { type ReactionKind, reactionKinds, reactionNames } from "../reactions.ts";
import { usePanel } from "../usePanel.ts";

export function ReactButton({ onReact }: { onReact: (kind: ReactionKind) => void }) {
  const { isOpen, root, button, toggle, close, onKeyDown } = usePanel<HTMLDivElement>();
  const row = useRef<HTMLDivElement>(null);
  /** Where one was when the keys opened it. */
  const from = useRef<HTMLElement | null>(null);
  const id = useId();

  useEffect(() => {
    if (isOpen) row.current?.querySelector("button")?.focus();
    else from.current = null;
  }, [isOpen]);

  useEffect(() => {
    const open = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "." || !(event.ctrlKey || event.metaKey) || isOpen) return;
      event.preventDefault();
      from.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
      toggle();
    };
    addEventListener("keydown", open);
    return () => removeEventListener("keydown", open);
  }, [isOpen, toggle]);

  const leave = () => {
    const back = from.current;
    close();
    back?.focus();
  };
  const react = (kind: ReactionKind) => {
    onReact(kind);
    leave();
  };
  const onKey = (event: KeyboardEvent<HTMLDivElement>) => {
    const kind = isOpen ? reactionKinds[Number(event.key) - 1] : undefined;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (kind !== undefined) react(kind);
    else if (step !== undefined && row.current !== null) {
      const buttons = [...row.current.querySelectorAll("button")];
      const at = buttons.findIndex((each) => each === document.activeElement);
      buttons.at((at + step) % buttons.length)?.focus();
    } else if (event.key === "Escape" && isOpen && from.current !== null) {
      event.preventDefault();
      leave();
    } else return onKeyDown(event);
    event.preventDefault();
  };

  return (
    <div className="react" ref={root} onKeyDown={onKey}>
      <button
        ref={button}
        className="quiet"
        data-testid="react"
        aria-label="React"
        aria-keyshortcuts="Control+. Meta+."
        title="React (Ctrl+.)"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={toggle}
      >
        <Icon name="react" />
      </button>
      {isOpen && (
        <div className="panel react-row" ref={row} id={id} role="group" aria-label="Reactions" data-testid="reactions">
          {reactionKinds.map((kind, at) => (
            <button
              key={kind}
              className="quiet"
              data-testid={`react-${kind}`}
              aria-label={reactionNames[kind]}
              aria-keyshortcuts={`${at + 1}`}
              title={`${reactionNames[kind]} (${at + 1})`}
              onClick={() => react(kind)}
            >
              <Icon name={kind} />
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
