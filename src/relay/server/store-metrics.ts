/** What the store of documents does, as Prometheus reads it. [STORE-17] */
import type { StoreMetrics } from "../documents/index.ts";

/** The lines of the page. */
export function storeText({ documents, snapshotBytes, logBytes, logUpdates, ...store }: StoreMetrics): string {
  const lines = [
    ...family("store_documents", "gauge", "Stored documents that are in memory.", [["", documents]]),
    ...family("store_snapshot_bytes", "gauge", "What the snapshots of these take in the store.", [["", snapshotBytes]]),
    ...family("store_log_bytes", "gauge", "What was appended to these since.", [["", logBytes]]),
    ...family("store_log_updates", "gauge", "In how many updates.", [["", logUpdates]]),
    ...family("store_failing", "gauge", "1 while the store fails or hangs.", [["", Number(store.isFailing)]]),
    ...family("store_compactions_total", "counter", "Documents that were compacted.", [["", store.compactions]]),
    ...summary("store_load_seconds", "How long documents take to load.", store.loads),
    ...summary("store_append_seconds", "How long appends take.", store.appends),
  ];
  return `${lines.join("\n")}\n`;
}

type Samples = readonly (readonly [labels: string, value: number])[];

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
