/** Measures a relay while it works, for Prometheus. [SEE-2] */
import type { Probe } from "../ports/probe.ts";
import { Buckets } from "./buckets.ts";

/** From a tenth of a millisecond to some seconds. */
const SECONDS = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const BYTES = [16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];
/** A flush that takes so long keeps everybody waiting, ms. [SEE-5] */
const SLOW_FLUSH_MS = 100;
/** How often it is looked how late the event loop is, ms: each look wakes a process that may have nothing else to do. */
const LOOP_MS = 250;

export class Instruments implements Probe {
  readonly #flush = new Buckets(
    "copresence_flush_seconds",
    "How long it took to tell the members of a room what changed.",
    SECONDS,
  );
  readonly #freshness = new Buckets(
    "copresence_freshness_seconds",
    "How long the oldest change of a flush had waited at the relay.",
    SECONDS,
  );
  readonly #message = new Buckets("copresence_message_bytes", "Sizes of messages that came in.", BYTES);
  readonly #loopDelay = new Buckets(
    "copresence_event_loop_delay_seconds",
    "How much later than due a timer ran.",
    SECONDS,
  );
  readonly #onSlowFlush: (room: string, tookMs: number) => void;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param onSlowFlush told of a flush that took so long that others noticed */
  constructor(onSlowFlush: (room: string, tookMs: number) => void) {
    this.#onSlowFlush = onSlowFlush;
  }

  /** As Prometheus reads it. */
  get text(): string {
    return [this.#flush, this.#freshness, this.#message, this.#loopDelay].map(({ text }) => text).join("\n");
  }

  /** Looks from now on how late the event loop is. Keeps no process alive. */
  start(): void {
    let dueAt = performance.now() + LOOP_MS;
    this.#timer ??= setInterval(() => {
      const now = performance.now();
      this.#loopDelay.observe(Math.max(0, now - dueAt) / 1_000);
      dueAt = now + LOOP_MS;
    }, LOOP_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  flushed(room: string, tookMs: number, waitedMs: number): void {
    this.#flush.observe(tookMs / 1_000);
    this.#freshness.observe(waitedMs / 1_000);
    if (tookMs >= SLOW_FLUSH_MS) this.#onSlowFlush(room, tookMs);
  }

  received(bytes: number): void {
    this.#message.observe(bytes);
  }
}
