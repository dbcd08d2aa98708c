/** Answers of the API as HTTP has them. */
import { createHash } from "node:crypto";
import { type Whole, wholeResponse } from "../../util/whole-response.ts";
import { ApiError } from "./error.ts";

const JSON_HEADERS = { "content-type": "application/json", "cache-control": "private, no-cache" };

/**
 * JSON that a caller may have already: then that is all it is told. [API-13]
 *
 * @param digests what the answer says, but for the time of asking
 */
export function answerWithTag(
  request: Request,
  body: () => NonNullable<Whole["body"]>,
  digests: readonly string[],
): Response {
  const tag = `W/"${createHash("sha1").update(digests.join(" ")).digest("base64url")}"`;
  const headers = { ...JSON_HEADERS, etag: tag };
  if (hasTag(request.headers.get("if-none-match"), tag)) return wholeResponse({ status: 304, headers, body: null });
  return wholeResponse({ status: 200, headers, body: body() });
}

/** Whether a caller says that it has an answer: as RFC 9110 compares tags for this, weak or not. */
function hasTag(ifNoneMatch: string | null, tag: string): boolean {
  if (ifNoneMatch === null) return false;
  const value = tag.slice(2);
  return ifNoneMatch.split(",").some((each) => each.trim() === "*" || each.trim().replace(/^W\//, "") === value);
}

/** @param text JSON */
export function answerJson(text: string, status = 200): Response {
  return wholeResponse({ status, headers: { ...JSON_HEADERS, "cache-control": "no-store" }, body: text });
}

export function answerNothing(): Response {
  return wholeResponse({ status: 204, headers: {}, body: null });
}

/** So much of JSON is made for one answer, characters. */
const MAX_LIST = 64 * 2 ** 20;

/**
 * The parts of a list, in the order of their names; that of a name that comes again is made once. [API-9]
 *
 * @throws ApiError for a list that would be too long: a caller may name the same large room a thousand times
 */
export function listOnce(names: readonly string[], partOf: (name: string) => string): string {
  const made = new Map<string, string>();
  let length = 0;
  for (const name of names) {
    const part = made.get(name) ?? partOf(name);
    made.set(name, part);
    length += part.length + 1;
    if (length > MAX_LIST) {
      throw new ApiError(
        413,
        "too_large",
        `the answer would be longer than ${MAX_LIST} characters: ask for fewer at once`,
      );
    }
  }
  return names.map((name) => made.get(name) ?? "").join(",");
}
