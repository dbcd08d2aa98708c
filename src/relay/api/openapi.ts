/** The OpenAPI 3.1 document of the API, made from its operations. [API-17] */
import type { Description, Operation } from "./operation.ts";
import { ref, schemas } from "./schemas.ts";

/** Every operation with a key may answer these. */
const COMMON = [400, 401, 403, 429] as const;
const WORDS: Readonly<Record<number, string>> = {
  400: "The request is not what this address takes",
  401: "There is no key, or no good one",
  403: "The key does not grant this",
  404: "There is no such thing",
  409: "It cannot be done as things are",
  413: "The body is too large",
  415: "The body is of another type",
  429: "Too many requests: wait as long as retry-after says",
  501: "The store cannot do this",
  503: "Not for now: wait as long as retry-after says",
};

export function openApiOf(operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const path = operation.path.replace(/:(\w+)(?=\/|$)/g, (whole, name: string, at: number) =>
      operation.path[at - 1] === "/" ? `{${name}}` : whole,
    );
    (paths[path] ??= {})[operation.method.toLowerCase()] = describe(operation, path);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "copresence",
      version: "1",
      description: "Who is here, and acting on it. Times are ms since the epoch. Names in paths are percent-encoded.",
    },
    servers: [{ url: "/api/v1" }],
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: {
        key: {
          type: "http",
          scheme: "bearer",
          description:
            "a key of --api-key, or a JWT with the claim `api`: read, write, admin, or { access, lobby?, rooms? }",
        },
      },
      schemas,
    },
  };
}

function describe({ level, describe: given }: Operation, path: string): object {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", minLength: 1 },
  }));
  const inQuery = Object.entries(given.query ?? {}).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    description,
    schema,
  }));
  return {
    operationId: given.id,
    summary: given.summary,
    ...(given.description !== undefined && { description: given.description }),
    ...(level === null ? { security: [] } : { "x-key-grants": level }),
    parameters: [...inPath, ...inQuery],
    ...(given.body !== undefined && { requestBody: bodyOf(given.body) }),
    responses: { ...answersOf(given), ...errorsOf(given, level !== null) },
  };
}

function bodyOf({ type, schema, example }: NonNullable<Description["body"]>): object {
  return { required: true, content: { [type]: { schema, ...(example !== undefined && { example }) } } };
}

function answersOf({ answers }: Description): Record<string, object> {
  const entries = Object.entries(answers).map(([status, { description, schema, type = "application/json" }]) => {
    return [status, { description, ...(schema !== undefined && { content: { [type]: { schema } } }) }] as const;
  });
  return Object.fromEntries(entries);
}

function errorsOf({ errors = [], body }: Description, hasKey: boolean): Record<string, object> {
  const statuses = [...(hasKey ? COMMON : []), ...(body === undefined ? [] : [413, 415]), ...errors];
  const content = { "application/json": { schema: ref("Error") } };
  return Object.fromEntries(
    [...new Set(statuses)].map((status) => [String(status), { description: WORDS[status] ?? "An error", content }]),
  );
}
