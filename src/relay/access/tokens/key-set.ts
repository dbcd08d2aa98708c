/** The keys that a signer publishes as a JWK set, fetched when they are needed and kept for ten minutes. */
import { type JWTVerifyGetKey, createRemoteJWKSet, customFetch, errors } from "jose";
import { causeOf, reasonOf } from "../../util/reason.ts";

/** The set cannot be had, or not be read: whose fault that is, no token says. */
export class KeySetError extends Error {}

/** How long the set may take to come, ms. */
const TIMEOUT_MS = 5_000;
/** A set of a hundred keys is some 100 KB. */
const MAX_BYTES = 2 ** 20;
const MAX_REASON_LENGTH = 200;

/** @param name what the URL is called in an error */
export function keySet(url: string, name: string): JWTVerifyGetKey {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !["https:", "http:"].includes(parsed.protocol)) {
    throw new RangeError(`${name} must be an http or https URL`);
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw new RangeError(`${name} must be a URL without a user name and password`);
  }
  const keys = createRemoteJWKSet(parsed, { timeoutDuration: TIMEOUT_MS, [customFetch]: fetchSet });
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      // these say something of the token, not of the set
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      throw new KeySetError(`the JWK set cannot be had: ${whyNotHad(error)}`, { cause: error });
    }
  };
}

interface FetchSettings {
  readonly headers: Headers;
  readonly method: "GET";
  readonly redirect: "manual";
  readonly signal: AbortSignal;
}

/** [KEY-5] Fetches a set, and reads no more of what comes than a set may be long. */
async function fetchSet(url: string, settings: FetchSettings): Promise<Response> {
  const response = await fetch(url, settings);
  const refusal = refusalOf(response);
  if (refusal !== null) {
    await response.body?.cancel();
    throw new KeySetError(refusal);
  }
  const text = await readText(response);
  try {
    JSON.parse(text);
  } catch {
    throw new KeySetError(`what came (${response.headers.get("content-type") ?? "no content type"}) is not JSON`);
  }
  return new Response(text);
}

/** What is wrong with an answer before its body is read; null: nothing. */
function refusalOf({ status, headers }: Response): string | null {
  // the keys of another address than the one that was set are nobody's word
  if (status >= 300 && status < 400) return `the answer is a redirect (${status}): set the address that it leads to`;
  if (status !== 200) return `the answer is ${status}, not 200`;
  return Number(headers.get("content-length")) > MAX_BYTES ? TOO_LARGE : null;
}

const TOO_LARGE = `it is larger than ${MAX_BYTES} bytes`;

async function readText(response: Response): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks).toString("utf8");
    length += value.length;
    if (length > MAX_BYTES) {
      await reader.cancel();
      throw new KeySetError(TOO_LARGE);
    }
    chunks.push(value);
  }
}

function whyNotHad(error: unknown): string {
  if (error instanceof errors.JWKSTimeout) return `it took longer than ${TIMEOUT_MS} ms`;
  return reasonOf(causeOf(error)).slice(0, MAX_REASON_LENGTH);
}
