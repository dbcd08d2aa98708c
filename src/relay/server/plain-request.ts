/**
 * Answers a request that offered an upgrade as if it had not. RFC 9110: a server may ignore what it is offered. Node
 * ignores an offer only where nobody listens for `upgrade`; once somebody does, it has read the head of the request and
 * given the socket away.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** These say something about the offer alone. */
const OFFER: ReadonlySet<string> = new Set(["upgrade", "http2-settings"]);

/** How many headers of a request Node keeps where its server has no limit of its own. */
const KEPT_HEADERS = 1_000;

/**
 * Whether Node may have left out some of the headers of a request. Among them may be the one that says how long the body is: the body
 * would be taken for a request of its own. [HTTP-13]
 */
export function mayLackHeaders(server: Server, { rawHeaders }: Pick<IncomingMessage, "rawHeaders">): boolean {
  const kept = server.maxHeadersCount ?? KEPT_HEADERS;
  // names and values
  return kept > 0 && rawHeaders.length >= 2 * kept;
}

/**
 * Gives the socket back to the HTTP server as a new connection on which the same request comes, without its offer. So
 * Node's own parser reads its body and what follows on the connection, and its time limits hold.
 */
export function answerAsUsual(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  // the time limit of a connection that is kept alive, if the answer before has just set it
  socket.setTimeout(0);
  // in the order in which they will be read
  if (head.length > 0) socket.unshift(head);
  socket.unshift(Buffer.from(headWithoutOffer(request), "latin1"));
  server.emit(socket instanceof TLSSocket ? "secureConnection" : "connection", socket);
}

/** The head of a request as it came, but for what it offered. */
export function headWithoutOffer(
  request: Pick<IncomingMessage, "method" | "url" | "httpVersion" | "rawHeaders">,
): string {
  const { method = "GET", url = "/", httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = "", value = ""] = rawHeaders.slice(i, i + 2);
    if (OFFER.has(name.toLowerCase())) continue;
    if (name.toLowerCase() !== "connection") lines.push(`${name}: ${value}`);
    else lines.push(...connectionHeader(name, value));
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function connectionHeader(name: string, value: string): string[] {
  const kept = value.split(",").filter((option) => !OFFER.has(option.trim().toLowerCase()));
  return kept.some((option) => option.trim() !== "") ? [`${name}: ${kept.join(",").trim()}`] : [];
}
