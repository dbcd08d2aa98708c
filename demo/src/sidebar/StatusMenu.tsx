import type { ManualStatus } from "copresence";
import { useStatus, usePresence } from "copresence/react";
import { useEffect, useRef, type KeyboardEvent } from "react";
import { Icon, StatusGlyph, statusNames } from "../icons.tsx";

const choices = ["online", "away", "busy", "dnd", "invisible"] as const;
const hints = {
  online: "away by itself when you step out",
  away: "",
  busy: "",
  dnd: "",
  invisible: "others see you as offline",
};

/** "Online" is no choice of status at all: what the page's activity says. */
export function StatusMenu({ onChoose }: { onChoose: () => void }) {
  const manual = usePresence()?.status.manual;
  const [, setStatus] = useStatus();
  const menu = useRef<HTMLDivElement>(null);
  const chosen = manual ?? "online";

  useEffect(() => menu.current?.querySelector<HTMLElement>("[aria-checked=true]")?.focus(), []);

  const choose = (choice: "online" | ManualStatus) => {
    setStatus(choice === "online" ? null : choice);
    onChoose();
  };

  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const items = [...(menu.current?.querySelectorAll("button") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    items.at((at + step) % items.length)?.focus();
  };

  return (
    <div ref={menu} role="menu" aria-label="Status" onKeyDown={move}>
      {choices.map((choice) => (
        <button
          key={choice}
          className="row choice"
          role="menuitemradio"
          aria-checked={choice === chosen}
          tabIndex={choice === chosen ? 0 : -1}
          data-testid={`status-${choice}`}
          onClick={() => choose(choice)}
        >
          <StatusGlyph status={choice} />
          <span className="row-name">
            {statusNames[choice]}
            {hints[choice] && <span className="row-more">{hints[choice]}</span>}
          </span>
          {choice === chosen && <Icon name="check" />}
        </button>
      ))}
    </div>
  );
}
