import {
  type Contract,
  createContract,
  type Document,
  type JsonSchema,
} from "test-support/contract";
import { beforeEach, describe, expect, it } from "vitest";
import { createAskedHub, MID, SID } from "./support/asked-hub.ts";

let contract: Contract;
beforeEach(async () => {
  const { ask } = createAskedHub();
  const response = await ask("GET", "/openapi.json", { key: null });
  contract = createContract((await response.json()) as Document);
});

const part = { url: "server://0.0.0.0:auto/127.0.0.1:80" };
const service = { alias: "web", parts: [part] };
const join = {
  v: 1,
  token: { id: "t1", secret: "s" },
  mid: MID,
  name: "alpha",
  nkey: `U${"A".repeat(55)}`,
  box: "A".repeat(43),
  at: 1,
  nonce: "0123456789abcdef",
  sig: "A".repeat(86),
};

/** Each route, a request that it takes, the least role, and what it answers. */
const ROUTES = [
  ["GET", "/fleet", "", undefined, "viewer", 200],
  ["POST", "/fleet/failover/resume", "", {}, "operator", 204],
  ["GET", "/fleet/masters", "?selector=region%3Deu&status=online", undefined, "viewer", 200],
  ["GET", "/fleet/masters/{mid}", "", undefined, "viewer", 200],
  ["PATCH", "/fleet/masters/{mid}", "", { labels: { a: "b" } }, "admin", 200],
  ["DELETE", "/fleet/masters/{mid}", "?stop=true", undefined, "admin", 204],
  ["POST", "/fleet/masters/{mid}/drain", "", {}, "operator", 200],
  ["POST", "/fleet/masters/{mid}/adopt", "", { instance: "aaaaaaaa" }, "operator", 201],
  ["GET", "/fleet/services", `?master=alpha&status=applied`, undefined, "viewer", 200],
  ["POST", "/fleet/services", "", service, "operator", 201],
  ["GET", "/fleet/services/{sid}", "", undefined, "viewer", 200],
  ["PUT", "/fleet/services/{sid}", "", service, "operator", 200],
  ["PATCH", "/fleet/services/{sid}", "", { alias: "x" }, "operator", 200],
  ["DELETE", "/fleet/services/{sid}", "?keep=true", undefined, "operator", 204],
  ["POST", "/fleet/services/{sid}/move", "", { to: "alpha" }, "operator", 200],
  ["GET", "/fleet/instances", "?status=running&cursor=x", undefined, "viewer", 200],
  ["GET", "/fleet/events", "", undefined, "viewer", 200],
  ["POST", "/fleet/events/ticket", "", undefined, "viewer", 201],
  ["GET", "/fleet/audit", "?limit=5&before=9", undefined, "admin", 200],
  ["GET", "/fleet/metrics", "", undefined, "viewer", 200],
  ["GET", "/fleet/export", "", undefined, "admin", 200],
  ["GET", "/fleet/export", "?format=nodepassdash", undefined, "viewer", 200],
  ["POST", "/fleet/import", "", { exported: "{}" }, "admin", 200],
  ["POST", "/fleet/rebuild", "", { dryRun: true }, "admin", 200],
  ["GET", "/fleet/tokens", "", undefined, "admin", 200],
  ["POST", "/fleet/tokens", "", { kind: "join", ttl: 3600 }, "admin", 201],
  ["DELETE", "/fleet/tokens/{id}", "", undefined, "admin", 204],
] as const;
const OPEN = [
  ["POST", "/fleet/join", join, 200],
  ["GET", "/healthz", undefined, 200],
  ["GET", "/readyz", undefined, 200],
  ["GET", "/openapi.json", undefined, 200],
  ["GET", "/docs", undefined, 200],
  ["GET", "/docs/{file}", undefined, 200],
] as const;

const filled = (path: string) =>
  path
    .replace("{mid}", MID)
    .replace("{sid}", SID)
    .replace("{id}", "t9")
    .replace("{file}", "init.js");
const ROLES = ["viewer", "operator", "admin"] as const;

describe("roles and routes", () => {
  it.each(ROUTES)("%s %s%s %j: from %s on %i", async (method, path, query, body, least, status) => {
    for (const role of ROLES) {
      const { ask, fleet } = createAskedHub();
      const response = await ask(method, filled(path) + query, { role, body });
      const may = ROLES.indexOf(role) >= ROLES.indexOf(least);
      expect(response.status, role).toBe(may ? status : 403);
      await contract.check(method, path, response);
      if (!may) expect(fleet.callers).toEqual([]);
    }
  });

  it.each(ROUTES)("%s %s%s takes no stranger", async (method, path, query, body) => {
    const { ask, fleet } = createAskedHub();
    const none = await ask(method, filled(path) + query, { key: null, body });
    expect(none.status).toBe(401);
    expect(none.headers.get("www-authenticate")).toMatch(/^Bearer/);
    await contract.check(method, path, none);
    for (let attempt = 0; attempt < 21; attempt++) {
      const wrong = await ask(method, filled(path) + query, { key: "npf_wrong", body });
      expect(wrong.status).toBe(attempt < 20 ? 401 : 429);
      await contract.check(method, path, wrong);
    }
    expect(fleet.calls).toEqual([]);
  });

  it.each(OPEN)("%s %s is open to all", async (method, path, body, status) => {
    const { ask } = createAskedHub();
    const response = await ask(method, filled(path), { key: null, body });
    expect(response.status).toBe(status);
    await contract.check(method, path, response);
  });
});

describe("the document", () => {
  it("is OpenAPI 3.1.1 of this version, the same under both prefixes", async () => {
    const { openapi, info, servers } = contract.document;
    expect(openapi).toBe("3.1.1");
    expect(info).toMatchObject({ title: "NodePass fleet", version: "9.8.7" });
    expect(servers).toEqual([{ url: "/api" }, { url: "/api/v1" }]);
    const { ask } = createAskedHub({ base: "/api/v1" });
    expect(await (await ask("GET", "/openapi.json")).json()).toEqual(contract.document);
  });

  it("has every route, and the tests above have every route of it", () => {
    const tried = [...ROUTES, ...OPEN].map(([method, path]) => `${method.toLowerCase()} ${path}`);
    const documented = contract.operations.map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(tried)].sort()).toEqual(documented.sort());
  });

  it("has one name and a summary for each operation, and known tags", () => {
    const names = contract.operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    const tags = contract.document.tags.map(({ name }) => name);
    for (const { operation } of contract.operations) {
      expect(operation.summary).not.toBe("");
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
    }
  });

  it("declares every parameter of a path, who may ask, and errors that are errors", () => {
    for (const { path, operation, method } of contract.operations) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = (operation.parameters ?? []).filter((one) => one.in === "path");
      expect(declared.map(({ name }) => name)).toEqual(wanted);
      const open = OPEN.some((one) => one[1] === path);
      const names = operation.security.flatMap((one) => Object.keys(one));
      expect(names.includes("bearer"), path).toBe(!open);
      expect(names.includes("ticket")).toBe(path === "/fleet/events");
      for (const [status, response] of Object.entries(operation.responses)) {
        if (Number(status) < 400 || path === "/readyz") continue;
        expect(response.content, `${method} ${path} ${status}`).toEqual({
          "application/json": {
            schema: { $ref: "#/components/schemas/Error" },
            example: { error: expect.any(String) },
          },
        });
      }
    }
  });

  it("has only references that lead somewhere", () => {
    function* schemasIn(value: unknown): Generator<JsonSchema> {
      if (typeof value !== "object" || value === null) return;
      if ("$ref" in value) yield value as JsonSchema;
      for (const inner of Object.values(value)) yield* schemasIn(inner);
    }
    const found = [...schemasIn(contract.document)];
    expect(found.length).toBeGreaterThan(30);
    for (const schema of found) expect(() => contract.resolve(schema)).not.toThrow();
    expect(contract.document.components.schemas).toHaveProperty("FleetEvent");
  });

  it("answers other methods with 405, and unknown paths with 404", async () => {
    const { ask } = createAskedHub();
    const response = await ask("DELETE", "/fleet/services");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD, OPTIONS, POST");
    expect((await ask("GET", "/fleet/nothing")).status).toBe(404);
    expect((await ask("GET", "/instances")).status).toBe(404);
    expect(await (await ask("GET", "", { key: null })).json()).toMatchObject({
      name: "nodepass",
      masters: "/api/fleet/masters",
    });
    expect(await (await ask("GET", "/docs", { key: null })).text()).toContain("NodePass fleet API");
  });
});
