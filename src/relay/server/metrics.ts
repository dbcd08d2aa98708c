/** What the relay counts about itself. */
import type { RefusalReason } from "../access/grants.ts";
import type { Dropped } from "../core/counters.ts";
import type { StoreMetrics } from "../documents/index.ts";
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
    ...(metrics.store === null ? [] : storeFamilies(metrics.store)),
    "",
  ].join("\n");
}

/** What the store of documents does. [STORE-17] */
function storeFamilies({ documents, snapshotBytes, logBytes, logUpdates, ...store }: StoreMetrics): string[] {
  return [
    ...family("store_documents", "gauge", "Stored documents that are in memory.", [["", documents]]),
    ...family("store_snapshot_bytes", "gauge", "What the snapshots of these take in the store.", [["", snapshotBytes]]),
    ...family("store_log_bytes", "gauge", "What was appended to these since.", [["", logBytes]]),
    ...family("store_log_updates", "gauge", "In how many updates.", [["", logUpdates]]),
    ...family("store_failing", "gauge", "1 while the store fails or hangs.", [["", Number(store.isFailing)]]),
    ...family("store_compactions_total", "counter", "Documents that were compacted.", [["", store.compactions]]),
    ...summary("store_load_seconds", "How long documents take to load.", store.loads),
    ...summary("store_append_seconds", "How long appends take.", store.appends),
  ];
}

type Samples = readonly (readonly [labels: string, value: number])[];

function labelled(label: string, values: Readonly<Record<string, number>>): Samples {
  return Object.entries(values).map(([key, value]) => [`{${label}="${key}"}`, value] as const);
}

function summary(name: string, help: string, { count, seconds }: { count: number; seconds: number }): string[] {
  const full = `copresence_${name}`;
  return [`# HELP ${full} ${help}`, `# TYPE ${full} summary`, `${full}_sum ${seconds}`, `${full}_count ${count}`];
}

function family(name: string, type: "counter" | "gauge", help: string, samples: Samples): string[] {
  const full = `copresence_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...samples.map(([labels, value]) => `${full}${labels} ${value}`),
  ];
}
