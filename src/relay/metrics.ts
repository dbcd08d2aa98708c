/** What the relay counts about itself. */
import { Close } from "../wire/index.ts";
import type { RefusalReason } from "./access/grants.ts";
import type { DocumentCounts } from "./documents/index.ts";

/** A connection is told nothing of what is dropped for want of a grant. */
export type Dropped = "awareness" | "document";

export interface RelayMetrics {
  /** Open now. */
  readonly connections: number;
  /** With somebody in them now, lobbies not among them. */
  readonly rooms: number;
  /** Present now, over all lobbies. */
  readonly users: number;
  /** Connections that were let in. */
  readonly accepted: number;
  /** Connections that were not, by reason. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Connections that were let in and have ended, by close code; one that is not in PROTOCOL.md counts as `other`. */
  readonly closed: Readonly<Record<string, number>>;
  /** Messages that were not taken, for want of a grant. */
  readonly dropped: Readonly<Partial<Record<Dropped, number>>>;
  /** Bytes that wait to be sent, over all connections. */
  readonly unsentBytes: number;
  /** Bytes of all awareness states. */
  readonly stateBytes: number;
  /** Documents of rooms, also of those that nobody is in. */
  readonly documents: DocumentCounts;
}

/** These are counted by themselves; a client may close with any. */
const KNOWN: ReadonlySet<number> = new Set([...Object.values(Close), 1005, 1006]);

export class Counters {
  accepted = 0;
  readonly refused: Partial<Record<RefusalReason, number>> = {};
  readonly closed: Record<string, number> = {};
  readonly dropped: Partial<Record<Dropped, number>> = {};

  countRefused(because: RefusalReason): void {
    this.refused[because] = (this.refused[because] ?? 0) + 1;
  }

  countDropped(what: Dropped): void {
    this.dropped[what] = (this.dropped[what] ?? 0) + 1;
  }

  countClosed(code: number): void {
    const key = KNOWN.has(code) ? `${code}` : "other";
    this.closed[key] = (this.closed[key] ?? 0) + 1;
  }
}

/** As Prometheus reads it. */
export function metricsText(metrics: RelayMetrics): string {
  const { connections, rooms, users, accepted, refused, closed, dropped, unsentBytes, stateBytes, documents } = metrics;
  return [
    ...family("connections", "gauge", "Open connections.", [["", connections]]),
    ...family("rooms", "gauge", "Rooms that somebody is in.", [["", rooms]]),
    ...family("users", "gauge", "Users present, over all lobbies.", [["", users]]),
    ...family("unsent_bytes", "gauge", "Data that waits to be sent.", [["", unsentBytes]]),
    ...family("state_bytes", "gauge", "What all awareness states take.", [["", stateBytes]]),
    ...family("accepted_total", "counter", "Connections that were let in.", [["", accepted]]),
    ...family("refused_total", "counter", "Connections that were not let in.", labelled("reason", refused)),
    ...family("closed_total", "counter", "Connections that have ended.", labelled("code", closed)),
    ...family("dropped_total", "counter", "Messages not taken for want of a grant.", labelled("what", dropped)),
    ...family("documents", "gauge", "Documents, by whether only their encoding is kept.", [
      ['{state="open"}', documents.open],
      ['{state="kept"}', documents.kept],
    ]),
    ...family("document_bytes", "gauge", "What documents take, about.", [["", documents.bytes]]),
    "",
  ].join("\n");
}

type Samples = readonly (readonly [labels: string, value: number])[];

function labelled(label: string, values: Readonly<Record<string, number>>): Samples {
  return Object.entries(values).map(([key, value]) => [`{${label}="${key}"}`, value] as const);
}

function family(name: string, type: "counter" | "gauge", help: string, samples: Samples): string[] {
  const full = `copresence_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...samples.map(([labels, value]) => `${full}${labels} ${value}`),
  ];
}
