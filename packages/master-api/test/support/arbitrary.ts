import fc from "fast-check";
import type { JsonSchema } from "./contract.ts";

/** Values that a schema (without references) allows. */
export function allowedBy(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(allowedBy));
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  return fc.oneof(...types.map((type) => ofType(type, schema)));
}

function ofType(type: string, schema: JsonSchema): fc.Arbitrary<unknown> {
  switch (type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.maxSafeInteger();
    case "string":
      return fc.string({
        unit: "grapheme",
        minLength: schema.minLength ?? 0,
        maxLength: Math.min(schema.maxLength ?? 20, 20),
      });
    case "array":
      return fc.array(allowedBy(schema.items ?? { type: "null" }), { maxLength: 4 });
    case "object":
      return ofObject(schema);
    default:
      throw new Error(`no arbitrary for the type ${type}`);
  }
}

function ofObject(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (typeof schema.additionalProperties === "object") {
    return fc.dictionary(fc.string({ unit: "grapheme" }), allowedBy(schema.additionalProperties), {
      maxKeys: Math.min(schema.maxProperties ?? 8, 8),
    });
  }
  const properties = Object.entries(schema.properties ?? {});
  const required = schema.required ?? [];
  const present = Object.fromEntries(
    properties.map(([name, property]) => [name, allowedBy(property)]),
  );
  return fc.record(present, { requiredKeys: [...required] });
}
