import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { allowedBy } from "./support/arbitrary.ts";
import { type Asked, createAsked } from "./support/ask.ts";
import { type Contract, createContract, type Document } from "./support/contract.ts";

let contract: Contract;

beforeAll(async () => {
  const { ask } = createAsked();
  contract = createContract((await (await ask("GET", "/openapi.json")).json()) as Document);
});

const RUNS = 1000;
/** `encodeURIComponent` throws for half a surrogate pair. */
const isWellFormed = (text: string) => !/\p{Surrogate}/u.test(text);
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const anyText = fc.string({ unit: "binary", maxLength: 40 });
const target = fc.oneof(
  anyText,
  fc.tuple(fc.domain(), fc.nat(70_000)).map(([host, port]) => `${host}:${port}`),
  fc.tuple(fc.ipV6(), fc.nat(70_000)).map(([host, port]) => `[${host}]:${port}`),
);
const id = fc.oneof(
  fc.constantFrom("one", "two", "********", "", "%2A", "..", "%", "a%2Fb"),
  fc.string({ unit: "grapheme" }).map((text) => encodeURIComponent(text)),
);

function seeded(): Asked {
  const asked = createAsked();
  asked.service.add({ id: "one" });
  asked.service.add({ id: "two", type: "client", url: "client://h:1/h:2", status: "stopped" });
  return asked;
}

/** Fills a path of the document in. */
function concrete(path: string, pathId: string, query: string): string {
  const filled = path.replace(/\{\w+\}/, () => pathId);
  const name = { "/tcping": "target", "/events": "ticket" }[path];
  return name === undefined ? filled : `${filled}?${name}=${encodeURIComponent(query)}`;
}

/** Which path of the document the router takes for an id such as `` or `a/b`; `undefined`: none. */
function isOf(path: string, requested: string): boolean {
  const { pathname } = new URL(requested, "http://h");
  // Only of an instance's path is the one without an id part of the contract (400).
  const pattern = path.replace("{id}", "[^/]*").replace("{file}", "[^/]+");
  return new RegExp(`^${pattern}$`).test(pathname);
}

test("requests made from the document are answered as it says, never with 5xx", async () => {
  const requests = fc.oneof(
    ...contract.operations.map(({ method, path, operation }) => {
      const schema = operation.requestBody?.content?.["application/json"]?.schema;
      return fc.record({
        method: fc.constant(method.toUpperCase()),
        path: fc.constant(path),
        id,
        query: target.filter(isWellFormed),
        body: schema === undefined ? fc.constant(undefined) : allowedBy(contract.resolve(schema)),
      });
    }),
  );
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const { ask } = seeded();
      const path = concrete(request.path, request.id, request.query);
      fc.pre(isOf(request.path, path));
      const response = await ask(request.method, path, { body: request.body });
      expect(response.status).toBeLessThan(500);
      await contract.check(request.method, request.path, response);
    }),
    { numRuns: RUNS },
  );
}, 120_000);

test("a body that the document allows is never refused for its form", async () => {
  const bodies = allowedBy(contract.resolve({ $ref: "#/components/schemas/InstanceChange" }));
  await fc.assert(
    fc.asyncProperty(bodies, async (body) => {
      const { ask } = seeded();
      expect((await ask("PATCH", "/instances/one", { body })).status).toBe(200);
    }),
    { numRuns: RUNS },
  );
}, 120_000);

test("any bytes, methods, keys and types are answered as documented, never with 5xx", async () => {
  const rawBody = fc.oneof(
    fc.json(),
    fc.json().map((text) => `{"meta":${text},"alias":${text},"url":${text}}`),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array(bytes)),
    fc.constantFrom('{"__proto__":{"action":"stop"}}', '{"meta":{"tags":{"__proto__":"x"}}}'),
    fc.constantFrom('{"alias":"\\ud800"}', "[[[[", "0x1", "null"),
  );
  const request = fc.record({
    method: fc.constantFrom(...METHODS),
    path: fc.constantFrom(...Object.keys(contract.document.paths)),
    id,
    query: target.filter(isWellFormed),
    rawBody,
    key: fc.constantFrom("right", "right", "right", "wrong", undefined),
    type: fc.constantFrom("application/json", "text/plain", "multipart/form-data", "", "x"),
  });
  await fc.assert(
    fc.asyncProperty(
      request,
      async ({ method, path, id: pathId, query, rawBody: raw, key, type }) => {
        const { ask, service } = seeded();
        const requested = concrete(path, pathId, query);
        // Without its id it is another path.
        fc.pre(isOf(path, requested) && !requested.includes("//"));
        const hasBody = method !== "GET" && method !== "HEAD";
        const response = await ask(method, requested, {
          ...(hasBody ? { rawBody: raw } : {}),
          key: key === "right" ? service.apiKey() : key,
          headers: { "Content-Type": type },
        });
        expect(response.status).toBeLessThan(500);
        if (method === "HEAD" || method === "OPTIONS") return;
        if (response.status === 405) {
          expect(response.headers.get("allow")).not.toContain(method);
          return;
        }
        await contract.check(method, path, response);
        expect(Object.prototype).not.toHaveProperty("action");
      },
    ),
    { numRuns: RUNS },
  );
}, 120_000);

test("a body nested 400,000 deep is refused like any other", async () => {
  const { ask } = seeded();
  const rawBody = `{"url":${"[".repeat(400_000)}${"]".repeat(400_000)}}`;
  const response = await ask("POST", "/instances", { rawBody });
  expect(response.status).toBe(400);
  await contract.check("POST", "/instances", response);
});
