/** Paging: a list in the order of its keys, of which a cursor says where the last page ended. Pure. [API-12] */
import { ApiError } from "./error.ts";

/** UTF-8 has no half of a surrogate pair, which an id may hold: the next page would begin behind another key than the last. */
const ENCODING = "utf16le";

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null: this is the last one. */
  readonly cursor: string | null;
}

/** The first so many items behind a cursor. What comes and goes meanwhile makes nothing else come twice, or be left out. */
export function pageOf<T>(items: Iterable<T>, keyOf: (item: T) => string, limit: number, cursor?: string): Page<T> {
  const after = cursor === undefined ? null : keyOfCursor(cursor);
  let found: T[] = [];
  for (const item of items) {
    if (after !== null && keyOf(item) <= after) continue;
    found.push(item);
    // of many, no more are kept and sorted than may be needed
    if (found.length >= 4 * (limit + 1)) found = firstOf(found, keyOf, limit + 1);
  }
  const kept = firstOf(found, keyOf, limit + 1);
  const page = kept.slice(0, limit);
  const last = page.at(-1);
  const hasMore = kept.length > limit && last !== undefined;
  return { items: page, cursor: hasMore ? Buffer.from(keyOf(last), ENCODING).toString("base64url") : null };
}

function firstOf<T>(items: readonly T[], keyOf: (item: T) => string, count: number): T[] {
  return items.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).slice(0, count);
}

/** The key behind which the next page begins. Throws `ApiError`. */
export function keyOfCursor(cursor: string): string {
  const bytes = Buffer.from(cursor, "base64url");
  if (bytes.length > 0 && bytes.length % 2 === 0 && bytes.toString("base64url") === cursor)
    return bytes.toString(ENCODING);
  throw new ApiError(400, "bad_cursor", "the cursor is not one that this API gave: leave it out to begin again");
}
