/** Opens the bus that an address names, and loads what it takes only then. */
import type { Bus } from "../../ports/bus.ts";
import { readBusAddress } from "../../util/bus-address.ts";
import { withPackage } from "../../util/optional-package.ts";

/**
 * Opens a bus over Redis or Valkey. [BUS-23] [BUS-47]
 *
 * @param address `redis://[user:password@]host:port`, or `rediss://…` for TLS; with Sentinels
 *   `redis-sentinel://[user:password@]host:port,host:port/master`; a Redis Cluster `redis-cluster://[user:password@]host:port,host:port`
 * @param onError told when it cannot be reached, and again for each other reason; it keeps trying. Default: `console.error`
 * @param load loads what it takes
 * @throws RangeError for an address that names no bus; Error when the package `@redis/client` is not installed
 */
export async function openBus(
  address: string,
  onError: (error: unknown) => void = (error) => console.error("copresence: the bus failed:", error),
  label = "the bus",
  load: () => Promise<typeof import("./redis-bus.ts")> = () => import("./redis-bus.ts"),
): Promise<Bus> {
  const read = readBusAddress(address, label);
  const module = await withPackage("@redis/client", "a bus over Redis", load);
  return new module.RedisBus(read, onError);
}
