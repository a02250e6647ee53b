import { beforeAll, describe, expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";
import {
  type Contract,
  createContract,
  type Document,
  type JsonSchema,
} from "./support/contract.ts";

let contract: Contract;

beforeAll(async () => {
  const { ask } = createAsked();
  const response = await ask("GET", "/openapi.json", { key: undefined });
  expect(response.headers.get("content-type")).toBe("application/json");
  contract = createContract((await response.json()) as Document);
});

function* schemasIn(schema: JsonSchema): Generator<JsonSchema> {
  yield schema;
  for (const inner of [
    ...Object.values(schema.properties ?? {}),
    ...(schema.anyOf ?? []),
    ...(schema.items ? [schema.items] : []),
    ...(typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : []),
  ]) {
    yield* schemasIn(inner);
  }
}

const KEYWORDS = new Set([
  ...["$ref", "type", "enum", "anyOf", "properties", "required", "additionalProperties", "items"],
  ...["minLength", "maxLength", "minimum", "maximum", "maxProperties", "format", "const"],
  ...["description", "example", "pattern"],
]);
const TYPES = ["string", "integer", "boolean", "object", "array", "null"];

describe("the document", () => {
  test("is OpenAPI 3.1.1, of the version served, and names both places", () => {
    const { openapi, info, servers } = contract.document;
    expect(openapi).toBe("3.1.1");
    expect(info).toMatchObject({ title: expect.any(String), version: "9.8.7" });
    expect(servers).toEqual([{ url: "/api" }, { url: "/api/v1" }]);
  });

  test("is the same under both prefixes", async () => {
    const { ask } = createAsked({ base: "/api/v1" });
    expect(await (await ask("GET", "/openapi.json")).json()).toEqual(contract.document);
  });

  test("has every endpoint", () => {
    expect(contract.operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      "delete /instances/{id}",
      "delete /instances/{id}/bans",
      "get /docs",
      "get /docs/{file}",
      "get /events",
      "get /healthz",
      "get /info",
      "get /instances",
      "get /instances/{id}",
      "get /instances/{id}/bans",
      "get /instances/{id}/history",
      "get /instances/{id}/logs",
      "get /instances/{id}/ports",
      "get /metrics",
      "get /openapi.json",
      "get /readyz",
      "get /tcping",
      "patch /instances/{id}",
      "post /events/ticket",
      "post /info",
      "post /instances",
      "post /keys/{access}",
      "put /instances/{id}",
    ]);
  });

  test("has one name and one summary for each operation, and known tags", () => {
    const names = contract.operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    const tags = contract.document.tags.map((tag) => tag.name);
    for (const { operation } of contract.operations) {
      expect(operation.summary).not.toBe("");
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
    }
  });

  test("declares every parameter of a path, as required", () => {
    for (const { path, operation } of contract.operations) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = (operation.parameters ?? []).filter((one) => one.in === "path");
      expect(declared.map((one) => one.name)).toEqual(wanted);
      expect(declared.every((one) => one.required === true)).toBe(true);
    }
  });

  test("says who may call: everything wants the key but the documentation", () => {
    const { securitySchemes } = contract.document.components;
    expect(securitySchemes).toMatchObject({
      apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
      bearer: { type: "http", scheme: "bearer" },
      ticket: { type: "apiKey", in: "query", name: "ticket" },
    });
    for (const { path, operation } of contract.operations) {
      const names = operation.security.flatMap((one) => Object.keys(one));
      for (const name of names) expect(Object.keys(securitySchemes)).toContain(name);
      const open = /^\/(?:openapi\.json|healthz|readyz)$/.test(path) || path.startsWith("/docs");
      expect(names.includes("apiKey")).toBe(!open);
      expect(names.includes("ticket")).toBe(path === "/events");
      expect(operation.responses).toHaveProperty("500");
      if (!open)
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["401", "429"]));
    }
  });

  test("describes every answer, errors always as Error, with an example that fits the status", () => {
    const fitting: Record<string, RegExp> = {
      // Each route's own, see below.
      400: /./,
      401: /Unauthorized/,
      403: /read/,
      404: /[Nn]ot found/,
      409: /held/,
      413: /1 MiB/,
      429: /Too many/,
      500: /internal/,
      503: /could not be saved|too many event streams/,
    };
    for (const { operation, path } of contract.operations) {
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(response.description).not.toBe("");
        if (Number(status) < 400) continue;
        // What a probe is told is text either way.
        if (path === "/readyz" && status === "503") continue;
        expect(response.content).toEqual({
          "application/json": {
            schema: { $ref: "#/components/schemas/Error" },
            example: { error: expect.stringMatching(fitting[status] ?? /^$/) },
          },
        });
      }
    }
  });

  test.each([
    ["GET", "/tcping", "/tcping", undefined],
    ["POST", "/instances", "/instances", {}],
    ["PUT", "/instances/{id}", "/instances/a1b2c3d4", {}],
    ["PATCH", "/instances/{id}", "/instances/a1b2c3d4", { alias: 3 }],
    ["GET", "/instances/{id}", "/instances/", undefined],
    ["DELETE", "/instances/{id}", "/instances/", undefined],
    ["GET", "/instances/{id}/logs", "/instances/a1b2c3d4/logs?tail=x", undefined],
    ["GET", "/instances/{id}/history", "/instances/a1b2c3d4/history?range=x", undefined],
    ["POST", "/info", "/info", {}],
    ["GET", "/events", `/events?ticket=${"x".repeat(129)}`, undefined],
    ["POST", "/keys/{access}", "/keys/none", undefined],
  ])(
    "has for %s %s the example that a bad request is answered with",
    async (method, path, asked, body) => {
      const found = contract.operations.find(
        (one) => one.path === path && one.method === method.toLowerCase(),
      );
      const { ask } = createAsked();
      const response = await ask(method, asked, body === undefined ? {} : { body });
      expect(response.status).toBe(400);
      const { content } = found?.operation.responses["400"] ?? {};
      expect(content?.["application/json"]).toMatchObject({ example: await response.json() });
    },
  );

  test("has only schemas that are JSON Schema and whose references lead somewhere", () => {
    const roots = [
      ...Object.values(contract.document.components.schemas),
      ...contract.operations.flatMap(({ operation }) => [
        ...(operation.parameters ?? []).map((one) => one.schema),
        ...Object.values(operation.requestBody?.content ?? {}).map((one) => one.schema),
        ...Object.values(operation.responses).flatMap((response) =>
          Object.values(response.content ?? {}).map((one) => one.schema),
        ),
      ]),
    ];
    expect(roots.length).toBeGreaterThan(50);
    for (const schema of roots.flatMap((root) => [...schemasIn(root)])) {
      for (const keyword of Object.keys(schema)) expect(KEYWORDS).toContain(keyword);
      const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
      for (const type of types) expect(TYPES).toContain(type);
      for (const name of schema.required ?? []) expect(schema.properties).toHaveProperty(name);
      expect(() => contract.resolve(schema)).not.toThrow();
    }
  });

  test("has instances and events as they are, null only where it is sent", () => {
    const { Instance, InstanceEvent } = contract.document.components.schemas;
    expect(Instance).toMatchObject({ type: "object", properties: { tcprx: { type: "integer" } } });
    expect(InstanceEvent?.properties?.instance).toMatchObject({
      anyOf: [{ $ref: "#/components/schemas/Instance" }, { type: "null" }],
    });
  });

  test("has bodies that are required, in JSON", () => {
    for (const { method, path, operation } of contract.operations) {
      const hasBody =
        /patch|put|post/.test(method) && !path.startsWith("/keys/") && path !== "/events/ticket";
      expect(operation.requestBody !== undefined).toBe(hasBody);
      if (!hasBody) continue;
      expect(operation.requestBody?.required).toBe(true);
      expect(Object.keys(operation.requestBody?.content ?? {})).toEqual(["application/json"]);
      expect(operation.responses).toHaveProperty("413");
    }
  });
});

describe("every status that is answered is documented, with its body:", () => {
  const url = "client://h:1/h:2";
  const cases = [
    ["GET", "/instances", "", {}],
    ["POST", "/instances", "", { body: { url } }],
    ["POST", "/instances", "", { body: {} }],
    ["POST", "/instances", "", { body: { url: "server://taken:1/h:2" } }],
    ["POST", "/instances", "", { rawBody: " ".repeat(1_048_577) }],
    ["GET", "/instances/{id}", "one", {}],
    ["GET", "/instances/{id}", "********", {}],
    ["GET", "/instances/{id}", "", {}],
    ["GET", "/instances/{id}", "none", {}],
    ["PATCH", "/instances/{id}", "one", { body: { alias: "x" } }],
    ["PATCH", "/instances/{id}", "one", { body: { alias: 1 } }],
    ["PATCH", "/instances/{id}", "none", { body: {} }],
    ["PATCH", "/instances/{id}", "one", { rawBody: " ".repeat(1_048_577) }],
    ["PUT", "/instances/{id}", "one", { body: { url } }],
    ["PUT", "/instances/{id}", "one", { body: { url: "server://taken:1/h:1" } }],
    ["PUT", "/instances/{id}", "********", { body: { url } }],
    ["PUT", "/instances/{id}", "none", { body: { url } }],
    ["DELETE", "/instances/{id}", "one", {}],
    ["DELETE", "/instances/{id}", "", {}],
    ["DELETE", "/instances/{id}", "none", {}],
    ["DELETE", "/instances/{id}", "********", {}],
    ["GET", "/events", "", {}],
    ["POST", "/events/ticket", "", {}],
    ["GET", "/info", "", {}],
    ["POST", "/info", "", { body: { alias: "x" } }],
    ["POST", "/info", "", { body: {} }],
    ["GET", "/tcping", "?target=h:1", {}],
    ["GET", "/tcping", "?target=h", {}],
    ["GET", "/metrics", "", {}],
    ["GET", "/openapi.json", "", {}],
    ["GET", "/docs", "", {}],
    ["GET", "/docs/{file}", "init.js", {}],
    ["GET", "/docs/{file}", "nope", {}],
  ] as const;

  test.each(cases)("%s %s %s %j", async (method, template, rest, options) => {
    const { ask, service } = createAsked();
    service.add({ id: "one" });
    service.add({ id: "two", url: "server://taken:1/h:1" });
    const path = template.includes("{") ? template.replace(/\{\w+\}/, rest) : template + rest;
    await contract.check(method, template, await ask(method, path, options));
  });

  test("no key, too many wrong keys, a failing and a broken service", async () => {
    for (const { method, path, operation } of contract.operations) {
      if (operation.security.length === 0) continue;
      const { ask, service } = createAsked();
      service.add({ id: "one" });
      const target = path.replace("{id}", "one");
      const upper = method.toUpperCase();
      await contract.check(upper, path, await ask(upper, target, { key: undefined }));
      for (let n = 0; n < 21; n += 1) {
        await contract.check(upper, path, await ask(upper, target, { key: "wrong" }));
      }
      for (const failure of ["UNAVAILABLE", "CONFLICT", new Error("broken")] as const) {
        const changes = operation.requestBody !== undefined || method === "delete";
        if (!changes) continue;
        if (failure === "CONFLICT" && !("409" in operation.responses)) continue;
        service.failure = failure;
        const body = method === "delete" ? {} : { body: { url: "client://h:1/h:2", alias: "x" } };
        await contract.check(upper, path, await ask(upper, target, body));
      }
    }
  });
});
