/**
 * How long this client waits for peers who lost the relay as it did: until they have had time to come back, and the relay
 * has then answered, which proves that it would have told of them. [ROSTER-6]
 */
export class Hold {
  readonly #ask: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Time is up, and the relay is asked whether it is there. */
  #isAsking = false;

  /** @param ask makes the relay answer: then call `answered` */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  start(ms: number): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.#isAsking = true;
      this.#ask();
    }, ms);
  }

  /** The relay answered. Returns whether it was asked, and the hold is over. */
  answered(): boolean {
    const wasAsking = this.#isAsking;
    this.#isAsking = false;
    return wasAsking;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#isAsking = false;
  }
}
