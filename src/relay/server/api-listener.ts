/** Leads requests of the relay's own server to the HTTP API, as the Web standard has requests and answers. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { addressOf } from "../access/address.ts";
import { type Whole, wholeOf } from "../util/whole-response.ts";

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

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
  const { RESPONSE_ALREADY_SENT } = await import("@hono/node-server/utils/response");
  const listener = getRequestListener(
    async (request, env) => {
      const { incoming, outgoing } = env as Exchange;
      const response = await answer(request, addressIn(incoming, trustProxy));
      const whole = wholeOf(response);
      if (whole === undefined) {
        if (incoming.socket.destroyed) await response.body?.cancel();
        else endWithSocket(incoming.socket, outgoing);
        return response;
      }
      write(outgoing, whole);
      return RESPONSE_ALREADY_SENT;
    },
    { overrideGlobalObjects: false },
  );
  return (request: IncomingMessage, response: ServerResponse) => void listener(request, response);
}

/** Answers that do not end by themselves, by their connection. */
const endless = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * Has an answer end with its connection. Node says that a connection is gone only to the answer whose turn it is: one that waits behind
 * another on the same connection would go on for ever. [API-30]
 */
function endWithSocket(socket: Socket, response: ServerResponse): void {
  const known = endless.get(socket);
  const answers = known ?? new Set<ServerResponse>();
  answers.add(response);
  response.once("close", () => answers.delete(response));
  if (known !== undefined) return;
  endless.set(socket, answers);
  socket.once("close", () => {
    // its turn never came
    for (const each of answers) if (each.socket === null) each.emit("close");
  });
}

/** Without a stream in between. */
function write(outgoing: ServerResponse, { status, headers, body }: Whole): void {
  const length = body === null ? null : typeof body === "string" ? Buffer.byteLength(body) : body.length;
  outgoing.writeHead(status, { ...headers, ...(length !== null && { "content-length": length }) });
  outgoing.end(body ?? undefined);
}

function addressIn({ socket, headers }: IncomingMessage, trustProxy: number): string {
  return addressOf(socket.remoteAddress, headers["x-forwarded-for"]?.toString(), trustProxy);
}
