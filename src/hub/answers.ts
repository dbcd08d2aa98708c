/** The answers that a hub awaits of its application: who may come in, and what a newer token grants. */

/** How long an application may take to answer, ms. [HUB-6] */
const ANSWER_MS = 10_000;

export class AwaitedAnswers {
  /** One for each answer that is awaited. */
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  /** Waits for an answer, and rejects when it takes too long. [HUB-6] */
  async inTime<T>(what: string, answer: Promise<T>): Promise<T> {
    let onLate = (): void => {};
    const late = new Promise<never>((_resolve, reject) => {
      onLate = () => reject(new Error(`${what} has not answered for ${ANSWER_MS / 1_000} s`));
    });
    const timer = setTimeout(onLate, ANSWER_MS);
    this.#timers.add(timer);
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      this.#timers.delete(timer);
    }
  }

  /** The hub is closed: an answer that comes yet finds no connection any more, and one that does not come is nobody's trouble. [RUN-3] */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
