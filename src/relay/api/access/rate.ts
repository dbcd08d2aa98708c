/** How much each caller may ask. Pure but for its own counts; `now` comes in, in ms that only go forward. [API-15] */
import { Bucket } from "../../util/bucket.ts";
import { ApiError } from "../answers/error.ts";

/** So many seconds' worth may be asked at once. */
const BURST_S = 5;
/** When this many callers are remembered, those that have been quiet are forgotten. */
const MAX_QUIET = 1_000;
/** Each time this many users or rooms are asked for in one request, they cost as much as another request. */
const ITEMS_PER_REQUEST = 50;

export class RateLimit {
  readonly #rate: number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param rate requests a second; 0: any number */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Throws `ApiError` for a caller who has asked too much. @param items how many users or rooms it asks for at once */
  count(caller: string, items: number, now: number): void {
    if (this.#rate === 0) return;
    let bucket = this.#buckets.get(caller);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_QUIET) this.#forgetQuiet(now);
      bucket = new Bucket(this.#rate, BURST_S, now);
      this.#buckets.set(caller, bucket);
    }
    if (bucket.take(1 + items / ITEMS_PER_REQUEST, now)) return;
    throw new ApiError(429, "too_many_requests", "too many requests: wait, and ask for many at once (…:batch)", {
      retryAfterS: 1,
    });
  }

  #forgetQuiet(now: number): void {
    for (const [caller, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(caller);
  }
}
