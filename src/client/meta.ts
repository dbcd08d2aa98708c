/** Metadata, as an application hands it in. */
import { isRecord } from "../presence/index.ts";

/**
 * The metadata after a change: a copy, so that what the application does to its own object later is no change unsaid.
 *
 * @throws TypeError for what others could not be sent: anything but an object, or an object that JSON cannot hold. Better
 * here than when it is sent, where nobody knows any more who set it.
 */
export function nextMeta<Meta>(previous: Meta, change: Meta | ((previous: Meta) => Meta)): Meta {
  const meta = typeof change === "function" ? (change as (previous: Meta) => Meta)(previous) : change;
  if (!isRecord(meta)) throw new TypeError("metadata must be an object");
  try {
    return JSON.parse(JSON.stringify(meta)) as Meta;
  } catch (cause) {
    throw new TypeError("metadata must be JSON: no BigInt, nothing that contains itself", { cause });
  }
}
