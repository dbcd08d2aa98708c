/** Metadata, as an application hands it in. */
import { isRecord } from "../presence/index.ts";
import { DEFAULT_LIMITS, type StateLimits, checkMeta } from "./provider/fit.ts";

/**
 * The metadata after a change: a copy, so that what the application does to its own object later is no change unsaid.
 *
 * [CLIENT-2] Better refused here than when it is sent, where nobody knows any more who set it.
 *
 * @throws TypeError for what others could not be sent: anything but an object, or an object that JSON cannot hold;
 * RangeError for more than the relay takes
 */
export function nextMeta<Meta>(
  previous: Meta,
  change: Meta | ((previous: Meta) => Meta),
  limits: StateLimits = DEFAULT_LIMITS,
): Meta {
  const meta = typeof change === "function" ? (change as (previous: Meta) => Meta)(previous) : change;
  if (!isRecord(meta)) throw new TypeError("metadata must be an object");
  return checkMeta(meta, limits) as Meta;
}
