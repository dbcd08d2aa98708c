/** Opens what relays on a bus share of their webhooks, and loads what it takes only then. */
import { checkOutboxAddress } from "../../util/bus-address.ts";
import type { SharedOutbox } from "../../ports/stores/shared-outbox.ts";
import { withPackage } from "../../util/optional-package.ts";

/**
 * Opens the shared outbox in the Redis that is the bus. [HOOK-20]
 *
 * @param address of one Redis, `redis://` or `rediss://`: the bus, or another if the bus has Sentinels or is a cluster
 * @param prefix what its keys begin with. Default `cp1:`
 * @throws RangeError for another address; Error when the package `@redis/client` is not installed
 */
export async function openSharedOutbox(address: string, prefix = "cp1:", label = "the bus"): Promise<SharedOutbox> {
  checkOutboxAddress(address, label);
  const { RedisSharedOutbox } = await withPackage(
    "@redis/client",
    "an outbox of relays on a bus",
    () => import("./redis.ts"),
  );
  return new RedisSharedOutbox(address, prefix);
}
