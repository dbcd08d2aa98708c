/** One request to the API, and what may be wrong with it. */

/** What the API refused: `code` is for programs and does not change, `message` says what to do. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  /** The HTTP status. */
  readonly status: number;
  readonly code: string;
  /** After how many ms it may be tried again; null: trying again is of no use, or nobody said when. */
  readonly retryAfterMs: number | null;

  constructor(status: number, code: string, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface Asking {
  readonly url: string;
  readonly key: string;
  readonly fetch: typeof fetch;
}

export interface Asked {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Behind `/api/v1`, with names percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Asks, and resolves with an answer that is no error. Rejects with a `ServerError`, or with what `fetch` rejects with. */
export async function ask({ url, key, fetch: send }: Asking, asked: Asked): Promise<Response> {
  const { method = "GET", path, query = {}, body, headers = {}, signal } = asked;
  const params = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  const search = params.length === 0 ? "" : `?${new URLSearchParams(params).toString()}`;
  const isBytes = body instanceof Uint8Array;
  const response = await send(`${url}/api/v1${path}${search}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { "content-type": isBytes ? "application/octet-stream" : "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  });
  if (response.ok) return response;
  throw await errorOf(response);
}

/** The same for answers that are JSON; the type is the API's word. */
export async function askJson<T>(asking: Asking, asked: Asked): Promise<T> {
  return (await (await ask(asking, asked)).json()) as T;
}

/** Null where the API answers 404. */
export async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ServerError && error.status === 404) return null;
    throw error;
  }
}

async function errorOf(response: Response): Promise<ServerError> {
  const { status, headers } = response;
  const retryAfterMs = waitOf(headers.get("retry-after"));
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { readonly error: { readonly code: string; readonly message: string } };
    return new ServerError(status, error.code, error.message, retryAfterMs);
  } catch {
    // something that stands before the relay has answered
    return new ServerError(
      status,
      "not_the_api",
      `the address answered ${status}, and not as the API does`,
      retryAfterMs,
    );
  }
}

/** What `Retry-After` asks for, ms: it has seconds or, of proxies, a date. */
function waitOf(after: string | null): number | null {
  if (after === null || after.trim() === "") return null;
  const waitMs = /^\d+$/.test(after) ? Number(after) * 1_000 : Date.parse(after) - Date.now();
  return Number.isNaN(waitMs) ? null : Math.max(0, waitMs);
}
