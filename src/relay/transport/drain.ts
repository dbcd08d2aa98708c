/**
 * Sends the clients of a relay elsewhere: one after the other, so that they do not all come to the next relay at once. Their
 * relay stays on the bus meanwhile, so that others see them `reconnecting` at most. [DRAIN-1] [DRAIN-3]
 */

/** Nobody is closed in the first fifth of the time, at most so long, ms: balancers learn meanwhile that the relay drains. */
const NOTICE_MS = 1_000;
/** How often some are closed, ms. */
const STEP_MS = 20;

/**
 * How many of `count` clients are to be closed by now. Pure.
 *
 * @param elapsedMs since the drain began
 * @param overMs how long it is to take
 */
export function dueBy(count: number, elapsedMs: number, overMs: number): number {
  const noticeMs = Math.min(NOTICE_MS, overMs / 5);
  if (elapsedMs >= overMs) return count;
  return Math.floor((count * Math.max(0, elapsedMs - noticeMs)) / (overMs - noticeMs));
}

export interface DrainSetup<Client> {
  /** In the order in which they are to go. */
  readonly clients: readonly Client[];
  readonly overMs: number;
  /** Monotonic ms. */
  readonly now: () => number;
  readonly close: (client: Client) => void;
}

export class Drain<Client> {
  /** Resolves when all were told to go elsewhere, or when it is stopped. */
  readonly done: Promise<void>;
  readonly #setup: DrainSetup<Client>;
  readonly #startedAt: number;
  #closed = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #resolve: () => void = () => {};

  constructor(setup: DrainSetup<Client>) {
    this.#setup = setup;
    this.#startedAt = setup.now();
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = setInterval(() => this.#step(), STEP_MS);
    this.#step();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#resolve();
  }

  #step(): void {
    const { clients, overMs, now, close } = this.#setup;
    const due = dueBy(clients.length, now() - this.#startedAt, overMs);
    for (const client of clients.slice(this.#closed, due)) close(client);
    this.#closed = due;
    if (due >= clients.length) this.stop();
  }
}

/** In an order by chance, so that those of one room do not all go at the same moment. */
export function shuffled<T>(items: Iterable<T>): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    const [a, b] = [all[i], all[j]];
    if (a !== undefined && b !== undefined) [all[i], all[j]] = [b, a];
  }
  return all;
}
