/** What the API refuses, and why: `{ error: { code, message } }`. [API-4] */
import { wholeResponse } from "../../util/whole-response.ts";
import { Close, FrameError } from "../../../wire/index.ts";

export interface ErrorDetails {
  /** After how many seconds it may be tried again. */
  readonly retryAfterS?: number;
  /** The methods that the address takes. */
  readonly allow?: readonly string[];
}

export class ApiError extends Error {
  readonly status: number;
  /** For programs: one word that does not change. */
  readonly code: string;
  readonly details: ErrorDetails;

  /** @param message for people: what is wrong, and what to do; never a key */
  constructor(status: number, code: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** As an answer. [API-4] */
export function errorResponse({ status, code, message, details }: ApiError): Response {
  const { retryAfterS, allow } = details;
  const headers = {
    "content-type": "application/json",
    "cache-control": "no-store",
    ...(retryAfterS !== undefined && { "retry-after": String(retryAfterS) }),
    ...(allow !== undefined && { allow: allow.join(", ") }),
    ...(status === 401 && { "www-authenticate": 'Bearer realm="copresence"' }),
  };
  return wholeResponse({ status, headers, body: JSON.stringify({ error: { code, message } }) });
}

/** What the core refuses, as the API says it. Everything that is no refusal is passed on as it is. */
export function asApiError(error: unknown): unknown {
  if (!(error instanceof FrameError)) return error;
  const { code, message } = error;
  switch (code) {
    case Close.tooLarge:
      return new ApiError(413, "too_large", message);
    case Close.overloaded:
      return new ApiError(503, "overloaded", message, { retryAfterS: 5 });
    case Close.notAllowed:
      return new ApiError(403, "not_allowed", message);
    default:
      return new ApiError(400, "malformed", message);
  }
}
