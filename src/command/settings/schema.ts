/** The JSON schema of configuration files, made from the one list of what can be set. [RUN-7] */
import { type JsonSchema, MAX_HOPS, type OptionSpec } from "../../relay/option.ts";
import { everySetting } from "./specs.ts";

export function configSchema(): JsonSchema {
  const properties = everySetting.map(({ name, spec }): [string, JsonSchema] => [name, valueSchema(spec)]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of copresence",
    description:
      "What `copresence --config FILE` reads. Each key is also a flag and an environment variable, which win.",
    type: "object",
    properties: { $schema: { type: "string" }, ...Object.fromEntries(properties) },
    additionalProperties: false,
  };
}

function valueSchema(spec: OptionSpec): JsonSchema {
  switch (spec.kind) {
    case "number": {
      const { min, max, unit, heapPart, help } = spec;
      const inUnit = unit === "ms" || unit === "bytes" ? `${help}, in ${unit}` : help;
      const bounds = { type: "integer", minimum: min, maximum: max };
      if (heapPart === undefined) return { description: inUnit, ...bounds, default: spec.default };
      return { description: `${inUnit}. Default: 1/${1 / heapPart} of the heap that Node allows`, ...bounds };
    }
    case "flag":
      return { description: spec.help, type: "boolean", default: spec.default };
    case "hops":
      return {
        description: spec.help,
        anyOf: [{ type: "boolean" }, { type: "integer", minimum: 0, maximum: MAX_HOPS }],
        default: spec.default,
      };
    case "text":
      return {
        description: spec.help,
        type: "string",
        minLength: 1,
        ...(spec.default !== null && { default: spec.default }),
      };
    case "choice":
      return { description: spec.help, enum: spec.words, default: spec.default };
    case "list":
      return {
        description: spec.help,
        anyOf: [spec.itemSchema, { type: "array", minItems: 1, items: spec.itemSchema }],
        ...(spec.default.length > 0 && { default: spec.default }),
      };
  }
}
