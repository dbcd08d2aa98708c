/** The API as one function from request to answer: who calls, whether they may, which operation it is, and what went wrong. */
import { Hono } from "hono";
import { TrieRouter } from "hono/router/trie-router";
import type { Clock } from "../ports/clock.ts";
import { withoutEndSlashes } from "../util/path.ts";
import type { ErrorListener } from "../util/report.ts";
import type { Callers } from "./access/callers.ts";
import { type ApiGrant, mayDo } from "./access/grant.ts";
import { RateLimit } from "./access/rate.ts";
import { ApiError, asApiError, errorResponse } from "./answers/error.ts";
import type { Operation } from "./operation.ts";

/** Where the API is, on its host. */
export const BASE = "/api/v1";
/** Wrong keys a second from one address: nobody who means well has more. */
const WRONG_KEYS_RATE = 10;

/** What is known of a caller besides the request. */
export interface CallInfo {
  /** Where the request comes from, as limits count addresses. */
  readonly address: string;
}

export interface AppSetup {
  readonly operations: readonly Operation[];
  readonly callers: Callers;
  /** Requests a second of one caller; 0: any number. */
  readonly rate: number;
  readonly clock: Clock;
  /** Told what nobody has foreseen. */
  readonly onError: ErrorListener;
}

export type App = (request: Request, info: CallInfo) => Promise<Response>;

/** What somebody without a key is granted: to call operations that take none. */
function anybody(address: string): ApiGrant {
  return { caller: `anybody at ${address}`, level: "read", lobby: null, seesRoom: null };
}

export function createApp({ operations, callers, rate, clock, onError }: AppSetup): App {
  const limit = new RateLimit(rate);
  const wrongKeys = new RateLimit(WRONG_KEYS_RATE);
  const hono = new Hono<{ readonly Bindings: CallInfo }>({
    // the only one that takes `/rooms:batch` for what it is
    router: new TrieRouter(),
    getPath: ({ url }) => pathIn(url),
  });

  const callerOf = async (request: Request, address: string): Promise<ApiGrant> => {
    try {
      return await callers.callerOf(request.headers.get("authorization"));
    } catch (error) {
      if (error instanceof ApiError && error.code === "bad_key") wrongKeys.count(address, 0, clock.now());
      throw error;
    }
  };

  for (const operation of operations) {
    hono.on(operation.method, operation.path, async ({ req, env }) => {
      const { raw: request } = req;
      const url = new URL(request.url);
      const { level } = operation;
      const grant = level === null ? anybody(env.address) : await callerOf(request, env.address);
      // [API-3] before the request is looked at
      if (level !== null && !mayDo(grant, level)) {
        throw new ApiError(403, "not_granted", `this takes a key that grants ${level}; yours grants ${grant.level}`);
      }
      const charge = (items: number): void => limit.count(grant.caller, items, clock.now());
      charge(0);
      const response = await operation.handle({
        request,
        url,
        parts: partsOf(operation.path, url.pathname),
        grant,
        charge,
      });
      // [API-30] nobody reads what would follow, and a stream would wait for a reader
      if (request.method === "HEAD") await response.body?.cancel();
      return response;
    });
  }

  hono.notFound(({ req }) => errorResponse(notFound(operations, pathIn(req.url), req.method)));
  hono.onError((thrown) => {
    const error = asApiError(thrown);
    if (error instanceof ApiError) return errorResponse(error);
    onError(error, "the HTTP API");
    return errorResponse(new ApiError(500, "internal", "the relay failed in a way that nobody has foreseen"));
  });
  return async (request, info) => hono.fetch(request, info);
}

/** The path behind `/api/v1`, wherever that is mounted; of anything else, what no operation has. */
function pathIn(url: string): string {
  return pathBehind(new URL(url).pathname);
}

function pathBehind(pathname: string): string {
  const at = pathname.indexOf(BASE);
  return at < 0 ? "/-" : withoutEndSlashes(pathname.slice(at + BASE.length)) || "/";
}

/** What stands in the path where the operation has names, as it came. */
function partsOf(pattern: string, pathname: string): readonly string[] {
  const names = pathBehind(pathname).split("/");
  return pattern.split("/").flatMap((part, i) => (part.startsWith(":") ? [names[i] ?? ""] : []));
}

/** An address that there is not, or a method that it does not take. */
function notFound(operations: readonly Operation[], path: string, method: string): ApiError {
  const allow = operations.filter((operation) => isAt(operation.path, path)).map((operation) => operation.method);
  if (allow.length > 0) {
    const message = `this address takes ${allow.join(", ")}, not ${method}`;
    return new ApiError(405, "wrong_method", message, { allow: allow.includes("GET") ? [...allow, "HEAD"] : allow });
  }
  const hint =
    "there is no such address: see /api/v1/openapi.json, percent-encode names (a/b is a%2Fb), and leave none empty";
  return new ApiError(404, "not_found", hint);
}

function isAt(pattern: string, path: string): boolean {
  const [parts, names] = [pattern.split("/"), path.split("/")];
  return (
    parts.length === names.length &&
    parts.every((part, i) => (part.startsWith(":") ? names[i] !== "" : part === names[i]))
  );
}
