/**
 * Responses of the Web standard that are one piece. Of each is remembered what it is made of, so that a server of Node's can write
 * it as it is: reading it as a stream takes longer than making it.
 */

export interface Whole {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
}

const wholes = new WeakMap<Response, Whole>();

export function wholeResponse(whole: Whole): Response {
  const { body, ...init } = whole;
  const response = new Response(body, init);
  wholes.set(response, whole);
  return response;
}

/** What a response is made of; undefined: it is a stream. */
export function wholeOf(response: Response): Whole | undefined {
  return wholes.get(response);
}
