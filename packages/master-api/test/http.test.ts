import { ServiceError, SILENT_LOGGER } from "@nodepass/model";
import { expect, test } from "vitest";
import { createMasterApi } from "../src/index.ts";
import { createAsked, errorOf } from "./support/ask.ts";
import { FakeService } from "./support/fake-service.ts";

const MIB = 1_048_576;

test.each([
  "/",
  "/nope",
  "/api/nope",
  "/api/v1/nope",
  "/api/v2",
  "/api/instances/a/b",
  "/api/info/",
])("the unknown path %s is 404 with an error body", async (path) => {
  const { ask } = createAsked({ base: "" });
  const response = await ask("GET", path);
  expect(response.status).toBe(404);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await errorOf(response)).toBe("Not found");
});

test.each([
  ["PUT", "/instances", "GET, HEAD, OPTIONS, POST"],
  ["POST", "/instances/a", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"],
  ["POST", "/events", "GET, HEAD, OPTIONS"],
  ["GET", "/events/ticket", "OPTIONS, POST"],
  ["DELETE", "/info", "GET, HEAD, OPTIONS, POST"],
  ["POST", "/tcping", "GET, HEAD, OPTIONS"],
  ["POST", "/openapi.json", "GET, HEAD, OPTIONS"],
  ["POST", "/docs", "GET, HEAD, OPTIONS"],
  ["POST", "/metrics", "GET, HEAD, OPTIONS"],
])("%s %s is 405 and Allow tells %s", async (method, path, allow) => {
  for (const base of ["/api", "/api/v1"]) {
    const { ask } = createAsked({ base });
    const response = await ask(method, path);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect(await errorOf(response)).toBe("Method not allowed");
  }
});

test("HEAD answers as GET without a body", async () => {
  const { ask } = createAsked();
  for (const path of ["/instances", "/info", "/docs", "/openapi.json", "/metrics"]) {
    const response = await ask("HEAD", path);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  }
  expect((await ask("HEAD", "/instances", { key: undefined })).status).toBe(401);
});

test("OPTIONS of a known path tells its methods, of an unknown one 404", async () => {
  const { ask } = createAsked();
  const known = await ask("OPTIONS", "/info", { key: undefined });
  expect(known.status).toBe(204);
  expect(known.headers.get("allow")).toBe("GET, HEAD, OPTIONS, POST");
  expect((await ask("OPTIONS", "/nope", { key: undefined })).status).toBe(404);
});

test("a preflight from any origin needs no key and allows what the API needs", async () => {
  const { ask } = createAsked();
  const response = await ask("OPTIONS", "/instances/a", {
    key: undefined,
    headers: {
      Origin: "https://dashboard.example",
      "Access-Control-Request-Method": "PATCH",
      "Access-Control-Request-Headers": "x-api-key,content-type",
    },
  });
  expect(response.status).toBe(204);
  const { headers } = response;
  expect(headers.get("access-control-allow-origin")).toBe("*");
  expect(headers.get("access-control-allow-methods")).toBe(
    "GET, PATCH, POST, PUT, DELETE, OPTIONS",
  );
  expect(headers.get("access-control-allow-headers")).toBe(
    "Content-Type, Authorization, X-API-Key, Cache-Control",
  );
});

test("every answer, errors too, may be read by any origin", async () => {
  const { ask } = createAsked();
  for (const [method, path] of [
    ["GET", "/instances"],
    ["GET", "/instances/none"],
    ["GET", "/nope"],
    ["PUT", "/info"],
    ["HEAD", "/events"],
  ] as const) {
    const response = await ask(method, path);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.has("access-control-allow-credentials")).toBe(false);
  }
});

test.each(["", "{", "alias=x", "[1,", "\ufeff{"])("the body %j is 400", async (rawBody) => {
  const { ask, service } = createAsked();
  service.add({ id: "one" });
  const response = await ask("PATCH", "/instances/one", { rawBody });
  expect(response.status).toBe(400);
  expect(await errorOf(response)).toBe("body is not JSON");
});

test("a missing body and one that is not UTF-8 are 400", async () => {
  const { ask, service } = createAsked();
  service.add({ id: "one" });
  expect((await ask("PATCH", "/instances/one")).status).toBe(400);
  const rawBody = new Uint8Array([0x22, 0xff, 0x22]);
  expect((await ask("PATCH", "/instances/one", { rawBody })).status).toBe(400);
});

test.each([
  undefined,
  "text/plain",
  "application/x-www-form-urlencoded",
  "application/json; charset=utf-8",
])("JSON is taken with the content type %s", async (type) => {
  const { ask, service } = createAsked();
  service.add({ id: "one" });
  // Bytes: a string body would get a content type of its own.
  const rawBody = new TextEncoder().encode('{"alias":"new"}');
  const headers = type === undefined ? {} : { "Content-Type": type };
  const response = await ask("PATCH", "/instances/one", { rawBody, headers });
  expect(response.status).toBe(200);
  expect(service.instances.get("one")?.alias).toBe("new");
});

test("a body over 1 MiB is 413 by its Content-Length, before it is read", async () => {
  const { ask } = createAsked();
  let pulled = 0;
  const rawBody = new ReadableStream<Uint8Array>(
    {
      pull: () => {
        pulled += 1;
      },
    },
    { highWaterMark: 0 },
  );
  const headers = { "Content-Length": String(MIB + 1) };
  expect((await ask("POST", "/instances", { rawBody, headers })).status).toBe(413);
  expect(pulled).toBe(0);
});

test("a body over 1 MiB is 413 as it arrives, and the rest is not read", async () => {
  const { ask } = createAsked();
  let sent = 0;
  let cancelled = false;
  const rawBody = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
    cancel: () => {
      cancelled = true;
    },
  });
  const response = await ask("POST", "/instances", { rawBody });
  expect(response.status).toBe(413);
  expect(await errorOf(response)).toBe("body over 1 MiB");
  expect(cancelled).toBe(true);
  expect(sent).toBeLessThan(MIB + 4 * 65_536);
});

test("a body of exactly 1 MiB is read", async () => {
  const { ask, service } = createAsked();
  const text = JSON.stringify({ url: "client://h:1/h:2" });
  const response = await ask("POST", "/instances", { rawBody: text.padEnd(MIB, " ") });
  expect(response.status).toBe(201);
  expect(await service.list()).toHaveLength(1);
});

test("without the key no byte of a body is read", async () => {
  const { ask } = createAsked();
  let pulled = 0;
  const rawBody = new ReadableStream<Uint8Array>(
    {
      pull: () => {
        pulled += 1;
      },
    },
    { highWaterMark: 0 },
  );
  expect((await ask("POST", "/instances", { rawBody, key: "wrong" })).status).toBe(401);
  expect(pulled).toBe(0);
});

test("an unexpected failure is a 500 that tells nothing, and is reported", async () => {
  const errors: unknown[] = [];
  const logger = { ...SILENT_LOGGER, error: (fields: unknown) => errors.push(fields) };
  const { ask, service } = createAsked({ logger });
  service.add({ id: "one" });
  const failure = new Error("secret /home/path");
  service.failure = failure;
  const response = await ask("PATCH", "/instances/one", { body: { alias: "x" } });
  expect(response.status).toBe(500);
  expect(await response.text()).toBe('{"error":"internal error"}');
  expect(errors).toEqual([expect.objectContaining({ error: failure.stack })]);
});

test("codes of other errors, such as the system's, are not taken for the service's", async () => {
  const { ask, service } = createAsked();
  service.add({ id: "one" });
  service.failure = Object.assign(new Error("no"), { code: "toString" });
  expect((await ask("DELETE", "/instances/one")).status).toBe(500);
  service.failure = Object.assign(new Error("mine"), { code: "CONFLICT" });
  expect((await ask("DELETE", "/instances/one")).status).toBe(409);
});

test("validation tells the field and not the value", async () => {
  const { ask } = createAsked();
  const url = ["client://secret@h:1/h:2"];
  const message = await errorOf(await ask("POST", "/instances", { body: { url } }));
  expect(message).toMatch(/^url: /);
  expect(message).not.toContain("secret");
});

test.each(["api", "/api/", "//api", "/api"])("the prefix %s is served as /api", async (prefix) => {
  const { ask } = createAsked({ prefix });
  expect((await ask("GET", "/instances")).status).toBe(200);
});

test("another prefix, and none, are served with and without /v1", async () => {
  for (const [prefix, base] of [
    ["/admin/x", "/admin/x"],
    ["/admin/x", "/admin/x/v1"],
    ["/", ""],
    ["", "/v1"],
  ] as const) {
    const { ask } = createAsked({ prefix, base });
    expect((await ask("GET", "/instances")).status).toBe(200);
    expect((await ask("PUT", "/instances")).status).toBe(405);
  }
});

test("a prefix with characters of meaning to the router is refused by name", () => {
  const service = new FakeService();
  for (const prefix of ["/:id", "/a*", "/a b", "/{x}"]) {
    expect(() => createMasterApi({ instances: service, master: service, prefix })).toThrow(
      ServiceError,
    );
  }
  expect(() =>
    createMasterApi({ instances: service, master: service, events: { maxReaders: -1 } }),
  ).toThrow(/maxReaders/);
  expect(service.listeners).toBe(0);
});
