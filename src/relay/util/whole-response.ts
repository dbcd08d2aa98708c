/**
 * Responses of the Web standard that are one piece. Of each is remembered what it is made of, and its body is left out until
 * somebody wants it as a Response: a server of Node's writes it as it is, since a stream takes longer than all the rest.
 */

export interface Whole {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
}

const wholes = new WeakMap<Response, Whole>();

/** A response without its body, which `wholeOf` has and `withBody` puts in. */
export function wholeResponse(whole: Whole): Response {
  const { status, headers } = whole;
  const response = new Response(null, { status, headers });
  wholes.set(response, whole);
  return response;
}

/** The same as anybody expects it. */
export function withBody(response: Response): Response {
  const whole = wholes.get(response);
  if (whole === undefined || whole.body === null) return response;
  const { body, ...init } = whole;
  return new Response(body, init);
}

/** What a response is made of; undefined: it is a stream. */
export function wholeOf(response: Response): Whole | undefined {
  return wholes.get(response);
}
