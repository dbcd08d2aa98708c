/** How the bus fares, and whether balancers should send clients to a hub. */
import type { ClusterInfo } from "../cluster/context.ts";
import type { BusCounts } from "../ports/bus.ts";

/** How the bus fares that joins a hub to others. [OPS-1] */
export interface BusMetrics extends ClusterInfo, BusCounts {}

/**
 * Why balancers should send clients to other hubs; null: this hub is ready. [STORE-15] [DRAIN-2] [OPS-2]
 *
 * @param bus null: the hub is alone
 * @param ofCore why the hub itself cannot do all of its work; null: it can
 */
export function troubleOf(isDraining: boolean, bus: ClusterInfo | null, ofCore: string | null): string | null {
  if (isDraining) return "the relay is draining";
  if (bus?.isUp === false) return "the bus cannot be reached";
  if (bus?.echoMs === null) return "the bus has not been heard yet";
  return ofCore;
}
