import { expect, test, vi } from "vitest";
import { createAsked, errorOf } from "./support/ask.ts";

const PROTECTED = [
  ["GET", "/instances"],
  ["POST", "/instances"],
  ["GET", "/instances/a"],
  ["PATCH", "/instances/a"],
  ["PUT", "/instances/a"],
  ["DELETE", "/instances/a"],
  ["GET", "/events"],
  ["POST", "/events/ticket"],
  ["GET", "/info"],
  ["POST", "/info"],
  ["GET", "/tcping?target=h:1"],
  ["GET", "/metrics"],
] as const;

test.each(PROTECTED)("%s %s wants the key", async (method, path) => {
  const { ask, service } = createAsked();
  const missing = await ask(method, path, { key: undefined });
  expect(missing.status).toBe(401);
  expect(await errorOf(missing)).toBe("Unauthorized: API key required");
  const wrong = await ask(method, path, { key: "wrong" });
  expect(wrong.status).toBe(401);
  expect(await errorOf(wrong)).toBe("Unauthorized: Invalid API key");
  expect(service.calls).toEqual([]);
});

test.each(["/openapi.json", "/docs", "/docs/init.js"])("GET %s is public", async (path) => {
  const { ask } = createAsked();
  expect((await ask("GET", path, { key: undefined })).status).toBe(200);
});

test("keys are compared by the service, whole", async () => {
  const { ask, service } = createAsked();
  const verify = vi.spyOn(service, "verifyKey");
  await ask("GET", "/info", { key: "candidate" });
  expect(verify.mock.calls).toEqual([["candidate"]]);
});

test("a bearer token is the key too; an empty key is none", async () => {
  const { ask, service } = createAsked();
  const headers = { Authorization: `Bearer ${service.apiKey()}` };
  expect((await ask("GET", "/info", { key: undefined, headers })).status).toBe(200);
  const empty = await ask("GET", "/info", { key: "" });
  expect(await errorOf(empty)).toBe("Unauthorized: API key required");
});

test("the key in a URL is not accepted", async () => {
  const { ask, service } = createAsked();
  const key = service.apiKey();
  for (const query of [`key=${key}`, `ticket=${key}`, `api_key=${key}`, `X-API-Key=${key}`]) {
    expect((await ask("GET", `/events?${query}`, { key: undefined })).status).toBe(401);
  }
});

test("many wrong keys are answered 429, per address, and the right key still works", async () => {
  const { ask, clock } = createAsked();
  const guess = (from: string) => ask("GET", "/info", { key: "wrong", from });
  const statuses = [];
  for (let i = 0; i < 30; i += 1) statuses.push((await guess("192.0.2.7")).status);
  expect(statuses).toEqual([...Array(20).fill(401), ...Array(10).fill(429)]);
  const refused = await guess("192.0.2.7");
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await errorOf(refused)).toBe("Too many wrong keys");
  expect((await guess("192.0.2.8")).status).toBe(401);
  expect((await ask("GET", "/info", { from: "192.0.2.7" })).status).toBe(200);
  clock.advance(1000);
  expect((await guess("192.0.2.7")).status).toBe(401);
  expect((await guess("192.0.2.7")).status).toBe(429);
});

test("a thousand wrong keys from as many addresses are throttled together", async () => {
  const { ask } = createAsked();
  let refused = 0;
  for (let i = 0; i < 1000; i += 1) {
    const { status } = await ask("GET", "/info", { key: "wrong", from: `2001:db8::${i}` });
    if (status === 429) refused += 1;
  }
  expect(refused).toBe(800);
});

test("requests without a key are no guesses", async () => {
  const { ask } = createAsked();
  for (let i = 0; i < 50; i += 1) await ask("GET", "/info", { key: undefined });
  expect((await ask("GET", "/info", { key: "wrong" })).status).toBe(401);
});
