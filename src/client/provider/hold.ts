/**
 * How long those are waited for who lost the relay as this client did: until they have had time to come back, and the
 * relay has then proved that it would have told of them.
 */
type State =
  | { readonly phase: "idle" }
  | { readonly phase: "waiting"; readonly timer: ReturnType<typeof setTimeout> }
  /** Time is up, and the relay is asked whether it is there. */
  | { readonly phase: "asking" };

export class Hold {
  readonly #ask: () => void;
  #state: State = { phase: "idle" };

  /** @param ask makes the relay answer: then call `answered` */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  start(ms: number): void {
    this.stop();
    const timer = setTimeout(() => {
      this.#state = { phase: "asking" };
      this.#ask();
    }, ms);
    this.#state = { phase: "waiting", timer };
  }

  /** The relay answered. Returns whether it was asked, and the hold is over. */
  answered(): boolean {
    if (this.#state.phase !== "asking") return false;
    this.#state = { phase: "idle" };
    return true;
  }

  stop(): void {
    if (this.#state.phase === "waiting") clearTimeout(this.#state.timer);
    this.#state = { phase: "idle" };
  }
}
