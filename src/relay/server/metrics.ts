/** What the relay counts about itself. */
import type { RefusalReason } from "../access/grants.ts";
import type { Dropped } from "../core/counters.ts";
import type { HubMetrics } from "../wiring/linked-hub.ts";

export interface RelayMetrics extends HubMetrics {
  /** Connections that were let in. */
  readonly accepted: number;
  /** Connections that were not, by reason. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Connections that were let in and have ended, by close code; one that is not in PROTOCOL.md counts as `other`. */
  readonly closed: Readonly<Record<string, number>>;
  /** Messages that were not taken, for want of a grant. */
  readonly dropped: Readonly<Partial<Record<Dropped, number>>>;
}

/** As Prometheus reads it. [LIMIT-7] [DOC-21] */
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
