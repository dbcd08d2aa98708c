/** Sessions that have gone to another relay, and stay in this relay's shard for a moment. */
import type { Clock } from "../../ports/clock.ts";
import { Deadlines } from "./deadlines.ts";

/**
 * How long they stay, ms: readers may get the other relay's shard later, after a second where the bus lost it (BUS-4), and must not see
 * the user leave in between. [BUS-27]
 */
export const HANDED_OVER_MS = 2_000;

export class HandedOver<T> extends Deadlines<T> {
  /** @param expire takes an item out, whose time is over */
  constructor(clock: Clock, expire: (item: T) => void) {
    super({ clock, waitMs: HANDED_OVER_MS, expire });
  }

  /** Has an item wait. One that waits already is not kept longer, however often the other relay says that it has the session. */
  override hold(item: T): void {
    if (this.deadlineOf(item) === undefined) super.hold(item);
  }
}
