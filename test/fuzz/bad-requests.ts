/** Bad requests to the HTTP API, made from its own OpenAPI document: each is wrong in one way that the document rules out. */
import * as fc from "fast-check";

type Schema = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly schema: Schema;
}

interface Operation {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly security?: readonly unknown[];
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface BadRequest {
  /** In which way it is wrong. */
  readonly fault: string;
  readonly method: string;
  /** Behind `/api/v1`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"];
const BYTES = "application/octet-stream";

interface Place {
  readonly template: string;
  readonly method: string;
  readonly operation: Operation;
}

/** @param key a good one */
export function badRequests(document: ApiDocument, key: string): fc.Arbitrary<BadRequest> {
  const places = Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]): Place => ({
      template,
      method: method.toUpperCase(),
      operation,
    })),
  );
  return fc.constantFrom(...places).chain((place) => fc.oneof(...faultsOf(place, document, key)));
}

function faultsOf(place: Place, document: ApiDocument, key: string): fc.Arbitrary<BadRequest>[] {
  const { template, method, operation } = place;
  const authorized = { authorization: `Bearer ${key}` };
  const good = template.replace(/\{\w+\}/g, "name");
  const base = { method, headers: authorized, ...goodBody(operation) };
  const query = operation.parameters.filter((each) => each.in === "query");
  const faults: fc.Arbitrary<BadRequest>[] = [
    word.map((name) => ({ ...base, fault: "no such parameter", path: `${good}?x${encodeURIComponent(name)}=1` })),
    word.map((name) => ({ ...base, fault: "no such address", path: `${good}/x${encodeURIComponent(name)}/y` })),
    fc
      .constantFrom(...METHODS.filter((each) => document.paths[template]?.[each.toLowerCase()] === undefined))
      .map((other) => ({ fault: "another method", method: other, headers: authorized, path: good })),
    ...query.flatMap(({ name, schema }) => {
      return violationsInText(name, schema).map((values) =>
        values.map((value) => ({
          ...base,
          fault: `parameter ${name}`,
          path: `${good}?${name}=${encodeURIComponent(value)}`,
        })),
      );
    }),
  ];
  if (operation.security === undefined) {
    const wrong = fc.oneof(word, fc.constant("a.b.c"), fc.constant(key.slice(1)), fc.constant(`${key}${key}`));
    faults.push(
      wrong.map((each) => ({
        ...base,
        fault: "wrong key",
        path: good,
        headers: { authorization: `Bearer x${encodeURIComponent(each)}` },
      })),
    );
    faults.push(fc.constant({ ...base, fault: "no key", path: good, headers: {} }));
  }
  if (template.includes("{")) {
    const names = ["%FF", "%C3%28", "%ED%A0%80", "x".repeat(600), "%E2%82", encodeURIComponent("é".repeat(600))];
    faults.push(
      fc
        .constantFrom(...names)
        .map((bad) => ({ ...base, fault: "name", path: template.replace(/\{\w+\}/, bad).replace(/\{\w+\}/, "name") })),
    );
  }
  for (const [type, { schema }] of Object.entries(operation.requestBody?.content ?? {})) {
    const headers = { ...authorized, "content-type": type };
    const send = (fault: string, body: string | Uint8Array): BadRequest => ({
      fault,
      method,
      path: good,
      headers,
      body,
    });
    if (type === BYTES) {
      // no number of Yjs begins so
      const noise = fc
        .uint8Array({ maxLength: 200 })
        .map((bytes) => new Uint8Array([...Array<number>(12).fill(255), ...bytes]));
      faults.push(noise.map((bytes) => send("no update", bytes)));
    } else {
      faults.push(
        fc.constantFrom("{", '"', "nul", "{]", "[1,", "\u0000").map((body) => send("no JSON", body)),
        fc.constant({ ...send("type of the body", "{}"), headers: { ...authorized, "content-type": "text/plain" } }),
        // most of what can be wrong
        ...Array.from({ length: 6 }, () =>
          violations(schema, document).map((value) => send("body", JSON.stringify(value))),
        ),
      );
    }
  }
  return faults;
}

/** A body that does nothing, for those whose fault is elsewhere. */
function goodBody({ requestBody }: Operation): { readonly body?: string } {
  return requestBody === undefined ? {} : { body: "" };
}

const word = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme-ascii" });
const anything = fc.jsonValue({ maxDepth: 3 });

/** Texts that a parameter may not be; none: any text is one. */
function violationsInText(name: string, schema: Schema): fc.Arbitrary<string>[] {
  if (schema["type"] === "integer") {
    return [
      fc.constantFrom("", "x", "-1", "1.5", "1e3", "NaN", "0x10", "99999999999999999999", " 1"),
      fc.integer({ min: Number(schema["maximum"]) + 1 }).map(String),
    ];
  }
  if (schema["type"] === "boolean") return [word.filter((text) => text !== "true" && text !== "false")];
  if (name === "status") return [word.map((text) => `x${text}`)];
  if (name === "cursor") return [word.map((text) => `!${text}`)];
  if (name === "lobby") return [fc.constant("x".repeat(600))];
  if (name === "ids")
    return [fc.constantFrom(",", "a,,b", "x".repeat(300), Array.from({ length: 1_100 }, () => "a").join())];
  return [fc.constantFrom("", "x".repeat(600))];
}

/** Values that a schema rules out. */
function violations(schema: Schema, document: ApiDocument): fc.Arbitrary<unknown> {
  const resolved = resolve(schema, document);
  const properties = (resolved["properties"] ?? {}) as Readonly<Record<string, Schema>>;
  const required = (resolved["required"] ?? []) as readonly string[];
  const good = goodOf(resolved, document) as Record<string, unknown>;
  const faults: fc.Arbitrary<unknown>[] = [
    anything.filter((value) => typeof value !== "object" || value === null || Array.isArray(value)),
    fc.tuple(word, anything).map(([name, value]) => ({ ...good, [`x${name}`]: value })),
    ...required.map((name) => fc.constant(Object.fromEntries(Object.entries(good).filter(([each]) => each !== name)))),
    ...Object.entries(properties).flatMap(([name, each]) => {
      const property = resolve(each, document);
      if (takesAnything(property)) return [];
      const bad =
        property["type"] === "object" && property["properties"] !== undefined
          ? violations(property, document)
          : badValueOf(property, document);
      return bad.map((value) => ({ ...good, [name]: value }));
    }),
  ];
  return fc.oneof(...faults);
}

const takesAnything = (schema: Schema): boolean =>
  ["type", "enum", "oneOf", "anyOf"].every((name) => schema[name] === undefined);

function badValueOf(schema: Schema, document: ApiDocument): fc.Arbitrary<unknown> {
  const otherThan = (...types: readonly string[]) =>
    anything.filter(
      (value) => !types.includes(Array.isArray(value) ? "array" : value === null ? "null" : typeof value),
    );
  if (Array.isArray(schema["enum"])) return word.map((text) => `x${text}`);
  switch (schema["type"]) {
    case "integer": {
      const [least, most] = [Number(schema["minimum"] ?? 0), Number(schema["maximum"])];
      const outside = fc.oneof(
        fc.constant(least - 1),
        fc.constant(most + 1),
        fc.constant(least + 0.5),
        fc.constant(1e300),
      );
      return fc.oneof(outside, otherThan("number"));
    }
    case "string": {
      const tooLong = fc.constant("x".repeat(Number(schema["maxLength"] ?? 5_000_000) + 1));
      return fc.oneof(otherThan("string"), tooLong, ...(schema["minLength"] === 1 ? [fc.constant("")] : []));
    }
    case "boolean":
      return otherThan("boolean");
    case "array": {
      const item = badValueOf(resolve(schema["items"] as Schema, document), document).map((value) => [value]);
      const tooMany = fc.constant(Array.from({ length: Number(schema["maxItems"]) + 1 }, () => "a"));
      return fc.oneof(otherThan("array"), item, tooMany);
    }
    default:
      return otherThan("object");
  }
}

/** A value that a schema takes. */
function goodOf(schema: Schema, document: ApiDocument): unknown {
  const resolved = resolve(schema, document);
  if (Array.isArray(resolved["enum"])) return resolved["enum"][0];
  switch (resolved["type"]) {
    case "integer":
      return resolved["minimum"] ?? 0;
    case "string":
      return "name";
    case "boolean":
      return false;
    case "array":
      return [];
    default: {
      const properties = (resolved["properties"] ?? {}) as Readonly<Record<string, Schema>>;
      const required = (resolved["required"] ?? []) as readonly string[];
      return Object.fromEntries(required.map((name) => [name, goodOf(properties[name] ?? {}, document)]));
    }
  }
}

function resolve(schema: Schema, document: ApiDocument): Schema {
  const name = typeof schema["$ref"] === "string" ? schema["$ref"].split("/").at(-1) : undefined;
  return name === undefined ? schema : (document.components.schemas[name] ?? {});
}
