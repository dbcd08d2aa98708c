/** The HTTP side of a relay's own server: what is answered to those who do not ask for a WebSocket. */
import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, createServer } from "node:http";
import type { Duplex } from "node:stream";
import { LOBBY } from "../../wire/index.ts";
import { withoutEndSlashes } from "../util/path.ts";
import { isApiTarget } from "./api-listener.ts";
import { inspector, isInspectorTarget } from "./inspector.ts";

/** nginx, HAProxy and the balancers of large hosts close an idle connection after a minute or less. */
const KEEP_ALIVE_MS = 75_000;

/** What the pages say that are no WebSocket. */
export interface Pages {
  readonly metrics: () => Promise<string>;
  /** Why the relay cannot do all that it is there for; null: it can. */
  readonly trouble: () => string | null;
  /** Whether the inspector is served. */
  readonly hasInspector: boolean;
}

/**
 * @param timeout how long a request may take to come, ms: one that comes byte by byte is cut off [LIMIT-5]
 * @param api answers what is below /api/
 */
export function createHttpServer(timeout: number, pages: Pages, api: RequestListener): Server {
  const settings = {
    headersTimeout: timeout,
    requestTimeout: timeout,
    // longer than balancers keep an idle connection: they would send a request on one that is just being closed
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.max(50, Math.floor(timeout / 10)),
  };
  return createServer(settings, (request, response) => {
    const target = request.url ?? "/";
    if (isApiTarget(target)) api(request, response);
    else if (pages.hasInspector && isInspectorTarget(target)) inspector(request, response);
    else answer(request, response, pages);
  });
}

function answer(request: IncomingMessage, response: ServerResponse, { metrics, trouble }: Pages): void {
  const page = pageOf(request.url ?? "/");
  // [HTTP-2] any other method
  if (page !== null && request.method !== "GET" && request.method !== "HEAD") {
    return say(response, 405, "GET or HEAD\n", { allow: "GET, HEAD" });
  }
  switch (page) {
    // [WIRE-6] the relay is alive
    case "/healthz":
      return say(response, 200, "ok\n");
    case "/readyz": {
      // [STORE-15] who asks is a balancer that had better send people elsewhere
      const reason = trouble();
      return reason === null ? say(response, 200, "ready\n") : say(response, 503, `${reason}\n`);
    }
    case "/metrics":
      void metrics().then(
        (text) => say(response, 200, text, { "content-type": "text/plain; version=0.0.4" }),
        () => say(response, 500, "metrics are not to be had\n"),
      );
      return;
    case null:
      return say(response, 426, `copresence relay: connect with a WebSocket, ws://…/<room> (lobby: ${LOBBY})\n`, {
        upgrade: "websocket",
      });
  }
}

type Page = "/healthz" | "/readyz" | "/metrics";

/**
 * The page that a request target asks for; null: there is none. [HTTP-1] What a probe or a proxy adds changes nothing: a
 * query, slashes at the end, and the server's own name before the path.
 */
export function pageOf(target: string): Page | null {
  const withoutHost = target.replace(/^https?:\/\/[^/?#]*/i, "");
  const [path = ""] = withoutHost.split(/[?#]/, 1);
  return asPage(withoutEndSlashes(path));
}

function asPage(path: string): Page | null {
  return path === "/healthz" || path === "/readyz" || path === "/metrics" ? path : null;
}

function say(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "content-length": length, ...headers });
  response.end(body);
}

/**
 * Refuses an upgrade. Node has taken its own listeners off the socket: one that is reset would end the process, and one
 * half-closed stay.
 */
export function refuseUpgrade(
  socket: Duplex,
  status: "404 Not Found" | "400 Bad Request" | "431 Request Header Fields Too Large" | "503 Service Unavailable",
  reason = "",
): void {
  socket.on("error", () => {});
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${reason.length}\r\n\r\n${reason}`);
}

/** Resolves when the last socket of a server is gone. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // nothing is answered here that takes any time, and a connection that asks for nothing would be waited for
    server.closeAllConnections();
  });
}
