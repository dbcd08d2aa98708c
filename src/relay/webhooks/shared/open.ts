/** Opens what relays on a bus share of their webhooks, and loads what it takes only then. */
import { checkOutboxAddress } from "../../util/bus-address.ts";
import type { SharedOutbox } from "../../ports/stores/shared-outbox.ts";

/**
 * Opens the shared outbox in the Redis that is the bus. [HOOK-20]
 *
 * @param address of one Redis, `redis://` or `rediss://`: the bus, or another if the bus has Sentinels or is a cluster
 * @param prefix what its keys begin with. Default `cp1:`
 * @throws RangeError for another address; Error when the package `@redis/client` is not installed
 */
export async function openSharedOutbox(address: string, prefix = "cp1:", label = "the bus"): Promise<SharedOutbox> {
  checkOutboxAddress(address, label);
  try {
    const { RedisSharedOutbox } = await import("./redis.ts");
    return new RedisSharedOutbox(address, prefix);
  } catch (error) {
    throw new Error("webhooks of relays on a bus need the package @redis/client: npm install @redis/client", {
      cause: error,
    });
  }
}
