/** What the relay counts about itself, and its page for Prometheus. */
import { getHeapStatistics } from "node:v8";
import { Counter, Gauge, Registry } from "prom-client";
import type { RefusalReason } from "../access/grants.ts";
import type { Dropped } from "../core/counters.ts";
import { storeText } from "./store-metrics.ts";
import type { Instruments } from "./instruments.ts";
import type { HubMetrics } from "../wiring/types.ts";
import type { BusMetrics } from "../wiring/readiness.ts";
import type { ReceiverCounts } from "../webhooks/receiver.ts";

export interface RelayMetrics extends HubMetrics {
  /** Connections that were let in. */
  readonly accepted: number;
  /** Connections that were not, by reason. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Connections that were let in and have ended, by close code; one that is not in PROTOCOL.md counts as `other`. */
  readonly closed: Readonly<Record<string, number>>;
  /** Messages that were not taken, for want of a grant. */
  readonly dropped: Readonly<Partial<Record<Dropped, number>>>;
  /** Of each receiver of webhooks, as they were given; null: there are none. */
  readonly webhooks: readonly ReceiverCounts[] | null;
}

type Values = Readonly<Record<string, number>>;

/** The page of one relay. */
export class MetricsPage {
  readonly #registry = new Registry();
  readonly #instruments: Instruments;
  readonly #read: () => RelayMetrics;
  /** As of the last request. */
  #metrics: RelayMetrics;

  /** @param instruments what they have measured is on the page, too */
  constructor(instruments: Instruments, read: () => RelayMetrics) {
    this.#instruments = instruments;
    this.#read = read;
    this.#metrics = read();
    this.#registerRelay();
    this.#registerBus();
    this.#registerWebhooks();
    this.#registerProcess();
  }

  /** As Prometheus reads it. */
  async text(): Promise<string> {
    // once for all of them: it takes a look at each room
    const metrics = this.#read();
    this.#metrics = metrics;
    const page = `${await this.#registry.metrics()}\n${this.#instruments.text}`;
    return metrics.store === null ? page : page + storeText(metrics.store);
  }

  /** [LIMIT-7] [DOC-21] */
  #registerRelay(): void {
    this.#gauge("copresence_connections", "Open connections.", (m) => m.connections);
    this.#gauge("copresence_rooms", "Rooms that somebody is in.", (m) => m.rooms);
    this.#gauge("copresence_users", "Users present, over all lobbies.", (m) => m.users);
    this.#gauge("copresence_unsent_bytes", "Data that waits to be sent.", (m) => m.unsentBytes);
    this.#gauge("copresence_state_bytes", "What all awareness states take.", (m) => m.stateBytes);
    this.#counter("copresence_accepted_total", "Connections that were let in.", (m) => m.accepted);
    this.#labelled(Counter, "refused_total", "Connections that were not let in.", "reason", (m) => m.refused);
    this.#labelled(Counter, "closed_total", "Connections that have ended.", "code", (m) => m.closed);
    this.#labelled(Counter, "dropped_total", "Messages not taken for want of a grant.", "what", (m) => m.dropped);
    const documents = ({ documents: { open, kept } }: RelayMetrics): Values => ({ open, kept });
    this.#labelled(Gauge, "documents", "Documents, by whether only their encoding is kept.", "state", documents);
    this.#gauge("copresence_document_bytes", "What documents take, about.", (m) => m.documents.bytes);
  }

  /** Without a bus there is none of it. [OPS-1] */
  #registerBus(): void {
    if (this.#metrics.bus === null) return;
    const add = (kind: "gauge" | "counter", name: string, help: string, read: (bus: BusMetrics) => number): void => {
      const of = ({ bus }: RelayMetrics): number => (bus === null ? 0 : read(bus));
      if (kind === "gauge") this.#gauge(`copresence_bus_${name}`, help, of);
      else this.#counter(`copresence_bus_${name}`, help, of);
    };
    add("gauge", "up", "Whether the bus carries what this relay says: 1, or 0.", ({ isUp }) => Number(isUp));
    add("gauge", "relays", "Other relays that are heard.", ({ relays }) => relays);
    add(
      "gauge",
      "echo_seconds",
      "How long the own beat last took to come back.",
      ({ echoMs }) => (echoMs ?? 0) / 1_000,
    );
    add("gauge", "unsent_bytes", "Bytes that the bus has not taken.", ({ unsentBytes }) => unsentBytes);
    add(
      "counter",
      "gaps_total",
      "Times that something of another relay was missing, and asked for.",
      ({ gaps }) => gaps,
    );
    add("counter", "dropped_total", "Messages that were not sent: the bus was away or slow.", ({ dropped }) => dropped);
    add("counter", "refused_total", "Messages that were unreadable or wrongly signed.", ({ refused }) => refused);
  }

  /** By the place of the receiver among those that were given: an address may hold a secret. [SEE-1] */
  #registerWebhooks(): void {
    const add = (
      kind: typeof Gauge<string> | typeof Counter<string>,
      name: string,
      help: string,
      read: (counts: ReceiverCounts) => number,
    ): void =>
      this.#labelled(kind, name, help, "receiver", ({ webhooks }) =>
        Object.fromEntries((webhooks ?? []).map((counts, i) => [`${i + 1}`, read(counts)])),
      );
    add(Counter, "webhooks_taken_total", "Webhooks that a receiver took.", ({ taken }) => taken);
    add(Counter, "webhooks_failed_total", "Attempts to send a webhook that failed.", ({ failed }) => failed);
    add(Counter, "webhooks_dropped_total", "Webhooks that were given up.", ({ dropped }) => dropped);
    add(Gauge, "webhooks_waiting", "Webhooks that wait.", ({ waiting }) => waiting);
    add(Gauge, "webhooks_waiting_bytes", "What waiting webhooks take, about.", ({ waitingBytes }) => waitingBytes);
    add(Gauge, "webhooks_oldest_seconds", "How old the oldest waiting webhook is.", ({ oldestMs }) => oldestMs / 1_000);
    add(Gauge, "webhooks_down", "Whether a receiver takes no webhooks: 1, or 0.", ({ isDown }) => Number(isDown));
  }

  /** What the process takes, by the names that Prometheus has for it. [SEE-1] */
  #registerProcess(): void {
    this.#gauge("process_resident_memory_bytes", "Resident memory of the process.", () => process.memoryUsage.rss());
    this.#gauge("nodejs_heap_size_used_bytes", "Heap that is in use.", () => process.memoryUsage().heapUsed);
    const heapLimit = getHeapStatistics().heap_size_limit;
    this.#gauge("nodejs_heap_size_limit_bytes", "What the heap may become.", () => heapLimit);
    const startedAt = Date.now() / 1_000 - process.uptime();
    this.#gauge("process_start_time_seconds", "When the process started, since the epoch.", () => startedAt);
    this.#counter("process_cpu_seconds_total", "Processor time that the process used.", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
  }

  #gauge(name: string, help: string, read: (metrics: RelayMetrics) => number): void {
    const collected: Gauge = new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect: () => collected.set(read(this.#metrics)),
    });
  }

  #counter(name: string, help: string, read: (metrics: RelayMetrics) => number): void {
    const collected: Counter = new Counter({
      name,
      help,
      registers: [this.#registry],
      collect: () => {
        collected.reset();
        collected.inc(read(this.#metrics));
      },
    });
  }

  #labelled(
    kind: typeof Gauge<string> | typeof Counter<string>,
    name: string,
    help: string,
    label: string,
    read: (metrics: RelayMetrics) => Values,
  ): void {
    const collected: Gauge | Counter = new kind({
      name: `copresence_${name}`,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect: () => {
        collected.reset();
        for (const [key, value] of Object.entries(read(this.#metrics))) collected.inc({ [label]: key }, value);
      },
    });
  }
}
