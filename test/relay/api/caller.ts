/** A caller of the HTTP API, who checks each answer against the OpenAPI document that the API itself gives. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { RelayConfig } from "../../../src/relay/index.ts";
import { type RunningRelay, startRelay } from "../../support.ts";

export const KEY = "a-key-for-tests-alone";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the body; the schema of the answer has been checked, and each test knows which one it is. */
  readonly body: Body;
  readonly bytes: Uint8Array;
}

export type Send = (request: Request) => Promise<Response>;

export interface UserBody {
  readonly id: string;
  readonly name?: string;
  readonly status: string;
  readonly rooms: readonly string[];
  readonly sessions: readonly { readonly id: string }[];
  readonly lastSeen: number | null;
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly agent?: true;
  readonly onBehalfOf?: string;
}

export interface RoomBody {
  readonly name: string;
  readonly counts: { readonly users: number };
  readonly connections: number | null;
  readonly users: readonly UserBody[];
}

/** All that any answer holds. */
export interface Body extends Omit<UserBody, "rooms">, RoomBody {
  readonly name: string;
  readonly users: readonly UserBody[];
  readonly rooms: readonly RoomBody[];
  readonly cursor: string | null;
  readonly error: { readonly code: string; readonly message: string };
  readonly connections: number;
  readonly until: number | null;
  readonly clientId: number;
  readonly expiresAt: number;
}

interface Described {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, { content?: object }>> }>>>
  >;
}

export class Caller {
  readonly #send: Send;
  readonly #key: string | null;
  #described: Promise<Checked> | undefined;

  /** @param key null: none */
  constructor(send: Send, key: string | null = KEY) {
    this.#send = send;
    this.#key = key;
  }

  /** The same with another key. */
  with(key: string | null): Caller {
    this.#described ??= this.#describe();
    const other = new Caller(this.#send, key);
    other.#described = this.#described;
    return other;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.call("GET", path, undefined, headers);
  }

  post(path: string, body?: unknown): Promise<Answer> {
    return this.call("POST", path, body);
  }

  put(path: string, body: unknown): Promise<Answer> {
    return this.call("PUT", path, body);
  }

  delete(path: string): Promise<Answer> {
    return this.call("DELETE", path);
  }

  /** @param body bytes are sent as they are, anything else as JSON */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const isBytes = body instanceof Uint8Array;
    const request = new Request(`http://relay/api/v1${path}`, {
      method,
      headers: {
        ...(this.#key !== null && { authorization: `Bearer ${this.#key}` }),
        ...(body !== undefined && { "content-type": isBytes ? "application/octet-stream" : "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    const response = await this.#send(request);
    const type = response.headers.get("content-type");
    const bytes = new Uint8Array(await response.arrayBuffer());
    const json: unknown =
      type === "application/json" && bytes.length > 0 ? JSON.parse(new TextDecoder().decode(bytes)) : null;
    const answer = { status: response.status, headers: response.headers, body: json as Body, bytes };
    await this.#check(method, path, answer);
    return answer;
  }

  /** [API-17] */
  async #check(method: string, path: string, { status, body }: Answer): Promise<void> {
    this.#described ??= this.#describe();
    const { document, ajv } = await this.#described;
    const [bare = ""] = path.split("?");
    const template = Object.keys(document.paths).find((each) => {
      return new RegExp(`^${each.replace(/\{\w+\}/g, "[^/]+")}$`).test(bare);
    });
    const operation = template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()];
    if (template === undefined || operation === undefined || status === 304) return;
    const answer = operation.responses[status];
    if (answer === undefined) throw new Error(`${method} ${template} is not described to answer ${status}`);
    if (body === null || !("content" in answer)) return;
    const pointer = [
      "paths",
      template,
      method.toLowerCase(),
      "responses",
      `${status}`,
      "content",
      "application/json",
      "schema",
    ]
      .map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"))
      .join("/");
    const validate = ajv.getSchema(`api#/${pointer}`) as ValidateFunction;
    if (!validate(body)) throw new Error(`${method} ${path}: ${ajv.errorsText(validate.errors)}`);
  }

  async #describe(): Promise<Checked> {
    const response = await this.#send(new Request("http://relay/api/v1/openapi.json"));
    const text = await response.text();
    const known = checkedBy.get(text);
    if (known !== undefined) return known;
    const document = JSON.parse(text) as Described;
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajv.addSchema(document, "api");
    checkedBy.set(text, { document, ajv });
    return { document, ajv };
  }
}

interface Checked {
  readonly document: Described;
  readonly ajv: Ajv2020;
}

/** By the document's text: what is compiled for one test serves the next. */
const checkedBy = new Map<string, Checked>();

/** Sends requests to a relay's own server. */
export function overHttp(port: number): Send {
  return (request) => {
    const { pathname, search } = new URL(request.url);
    const asked = new Request(`http://127.0.0.1:${port}${pathname}${search}`, request);
    // a socket that is used again may be one that the server has just closed, when the machine is slow
    asked.headers.set("connection", "close");
    return fetch(asked);
  };
}

export interface CalledRelay extends RunningRelay {
  readonly api: Caller;
}

/** A relay with a key to its API. */
export async function startCalledRelay(config: RelayConfig = {}): Promise<CalledRelay> {
  const running = await startRelay({ apiKey: KEY, tick: 0, lobbyTick: 0, ...config });
  return { ...running, api: new Caller(overHttp(running.port)) };
}
