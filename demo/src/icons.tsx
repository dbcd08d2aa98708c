/** Drawn by hand on a 16 px grid, in the colour of the text around them. */
import type { Device, Status } from "copresence";

const strokes = {
  desktop: "M2.5 3.5h11v7h-11zM6 13.5h4M8 10.5v3",
  tablet: "M4 2h8a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V3a1 1 0 0 1 1-1zM7 12h2",
  mobile: "M5.5 1.5h5a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1h-5a1 1 0 0 1-1-1v-11a1 1 0 0 1 1-1zM7.2 12.4h1.6",
  page: "M4 1.8h5.2L12.5 5v9.2H4zM9 2v3.2h3.2",
  plus: "M8 3v10M3 8h10",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h7",
  log: "M2.5 4h.01M2.5 8h.01M2.5 12h.01M5.5 4h8M5.5 8h8M5.5 12h5",
  chevron: "M4.5 10 8 6.5l3.5 3.5",
  close: "m4 4 8 8M12 4l-8 8",
  check: "m3.5 8.5 3 3 6-7",
  react: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM5.5 9.3c.6 1 1.5 1.5 2.5 1.5s1.9-.5 2.5-1.5M6 6.3h.01M10 6.3h.01",
  love: "M8 13.2 3.2 8.6a2.9 2.9 0 0 1 4.2-4.2L8 5l.6-.6a2.9 2.9 0 0 1 4.2 4.2z",
  hooray: "M8 1.8 9.7 5.9l4.4.3-3.4 2.9 1.1 4.3L8 11.1l-3.8 2.3 1.1-4.3L1.9 6.2l4.4-.3z",
  agree: "m3.5 8.5 3 3 6-7",
  question: "M5.7 6A2.3 2.3 0 1 1 9.2 8C8.4 8.5 8 8.9 8 9.8M8 12.6h.01",
  look: "M1.8 8S4 4.2 8 4.2 14.2 8 14.2 8 12 11.8 8 11.8 1.8 8 1.8 8zM8 9.7a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4z",
} as const;

export function Icon({ name }: { name: keyof typeof strokes }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={strokes[name]} />
    </svg>
  );
}

const deviceNames = { desktop: "On a computer", tablet: "On a tablet", mobile: "On a phone" };

export function DeviceIcon({ device }: { device: Device }) {
  if (device === "unknown") return null;
  return (
    <span className="device" role="img" aria-label={deviceNames[device]} title={deviceNames[device]}>
      <Icon name={device} />
    </span>
  );
}

/** Told apart by shape as well as by colour. */
export function StatusGlyph({ status }: { status: Status | "invisible" }) {
  return (
    <svg className="glyph" data-status={status} viewBox="0 0 12 12" aria-hidden="true">
      {status === "away" ? (
        <path d="M10.6 7.6A5 5 0 1 1 4.9 1a4.2 4.2 0 0 0 5.7 6.6z" />
      ) : status === "offline" || status === "invisible" ? (
        <circle
          className="ring"
          cx="6"
          cy="6"
          r="4"
          strokeDasharray={status === "invisible" ? "2.1 1.49" : undefined}
        />
      ) : (
        <circle cx="6" cy="6" r="5" />
      )}
      {status === "busy" && <path className="cut" d="M6 3v3l2 1.4" />}
      {status === "dnd" && <path className="cut" d="M3.6 6h4.8" />}
    </svg>
  );
}

export const statusNames = {
  online: "Online",
  away: "Away",
  busy: "Busy",
  dnd: "Do not disturb",
  invisible: "Invisible",
  offline: "Offline",
} as const;

/** Quire's own. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="12" cy="16" r="9" />
      <circle cx="20" cy="16" r="9" />
    </svg>
  );
}
