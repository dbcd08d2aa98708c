/** What the API can do: a table of operations, from which the router and the OpenAPI document are made. */
import type { ApiGrant, ApiLevel } from "./access/grant.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** A request of a caller who may make it. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  /** The parts of the path that stand for names, as they came: percent-encoded. */
  readonly parts: readonly string[];
  readonly grant: ApiGrant;
  /** Counts what is asked for at once, and throws when that is too much. */
  readonly charge: (items: number) => void;
}

export interface Operation {
  readonly method: Method;
  /** Behind `/api/v1`; `:name` stands for a name. */
  readonly path: string;
  /** What a key must grant; null: no key is needed. */
  readonly level: ApiLevel | null;
  readonly describe: Description;
  handle(call: Call): Response | Promise<Response>;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Body {
  readonly type: "application/json" | "application/octet-stream";
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

/** An operation in the words of OpenAPI. */
export interface Description {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly query?: Readonly<Record<string, JsonSchema & { readonly description: string }>>;
  readonly body?: Body;
  /** By status: what is answered; null: nothing. */
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema?: JsonSchema; readonly type?: string }>
  >;
  /** Statuses of errors besides those that every operation may answer. */
  readonly errors?: readonly number[];
}
