import { z } from "zod";

/** A JSON Schema as far as the document uses it. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxProperties?: number;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: Content & { readonly required: boolean };
  readonly responses: Readonly<
    Record<string, Content & { readonly description: string; readonly headers?: object }>
  >;
}

export interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

/** Checks answers against the document alone: what it does not tell is a failure. */
export interface Contract {
  readonly document: Document;
  readonly operations: readonly { path: string; method: string; operation: Operation }[];
  /** The schema without references. */
  resolve(schema: JsonSchema): JsonSchema;
  /**
   * @param path the template, as the document has it
   * @throws if status, content type or body are not as documented
   */
  check(method: string, path: string, response: Response): Promise<void>;
}

export function createContract(document: Document): Contract {
  const resolve = (schema: JsonSchema): JsonSchema => {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.replace("#/components/schemas/", "");
      const target = document.components.schemas[name];
      if (target === undefined) throw new Error(`${schema.$ref} leads nowhere`);
      return resolve(target);
    }
    const mapped = { ...schema } as Record<string, unknown>;
    if (schema.items) mapped.items = resolve(schema.items);
    if (schema.anyOf) mapped.anyOf = schema.anyOf.map(resolve);
    if (typeof schema.additionalProperties === "object") {
      mapped.additionalProperties = resolve(schema.additionalProperties);
    }
    if (schema.properties) {
      mapped.properties = Object.fromEntries(
        Object.entries(schema.properties).map(([name, one]) => [name, resolve(one)]),
      );
    }
    return mapped as JsonSchema;
  };

  const validators = new Map<string, z.ZodType>();
  const validator = (key: string, schema: JsonSchema): z.ZodType => {
    const known = validators.get(key);
    if (known !== undefined) return known;
    const { example: _example, ...plain } = resolve(schema) as Record<string, unknown>;
    const made = z.fromJSONSchema(plain as Parameters<typeof z.fromJSONSchema>[0]);
    validators.set(key, made);
    return made;
  };

  return {
    document,
    operations: Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    ),
    resolve,
    check: async (method, path, response) => {
      const where = `${method} ${path} -> ${response.status}`;
      const operation = document.paths[path]?.[method.toLowerCase()];
      const described = operation?.responses[String(response.status)];
      if (described === undefined) throw new Error(`${where} is not documented`);
      const type = response.headers.get("content-type")?.split(";")[0];
      if (described.content === undefined) {
        if (type !== undefined) throw new Error(`${where} has a body of ${type}`);
        return;
      }
      const schema = described.content[type ?? ""]?.schema;
      if (schema === undefined) throw new Error(`${where} has the content type ${type}`);
      if (type !== "application/json") {
        await response.body?.cancel();
        return;
      }
      const result = validator(where, schema).safeParse(await response.json());
      if (!result.success) throw new Error(`${where}: ${result.error.message}`);
    },
  };
}
