/** Leads requests of the relay's own server to the HTTP API, as the Web standard has requests and answers. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { addressOf } from "../access/address.ts";

/** Answers a request. @param address where it comes from */
export type AnswerApi = (request: Request, address: string) => Promise<Response>;

/** Whether a request target is the API's. */
export function isApiTarget(target: string): boolean {
  return /^(https?:\/\/[^/?#]*)?\/api\//i.test(target);
}

/** The adapter that reads requests and writes answers is loaded with the first request. */
export function apiListener(answer: AnswerApi, trustProxy: number): RequestListener {
  let loaded: Promise<RequestListener> | undefined;
  return (request, response) => {
    loaded ??= load(answer, trustProxy);
    loaded.then(
      (listener) => listener(request, response),
      () => response.writeHead(500).end(),
    );
  };
}

async function load(answer: AnswerApi, trustProxy: number): Promise<RequestListener> {
  const { getRequestListener } = await import("@hono/node-server");
  const listener = getRequestListener(
    (request, env) => answer(request, addressIn((env as { readonly incoming: IncomingMessage }).incoming, trustProxy)),
    { overrideGlobalObjects: false },
  );
  return (request: IncomingMessage, response: ServerResponse) => void listener(request, response);
}

function addressIn({ socket, headers }: IncomingMessage, trustProxy: number): string {
  return addressOf(socket.remoteAddress, headers["x-forwarded-for"]?.toString(), trustProxy);
}
