import { expect, test } from "vitest";
import type { AgentRequest } from "../src/index.ts";
import { createAsked, errorOf } from "./support/ask.ts";

function withAgents(origins?: readonly string[]) {
  const asked: AgentRequest[] = [];
  const agents = {
    origins,
    handler: async (request: AgentRequest) => {
      asked.push(request);
      return Response.json({ answered: true });
    },
  };
  return { ...createAsked({ agents }), asked };
}

test("hands over what a known key says, and a way to ask as the same client", async () => {
  const { ask, asked, service } = withAgents();
  service.readKey = "the-key-that-may-only-read";
  expect(await (await ask("POST", "/v2", { rawBody: "no json" })).json()).toEqual({
    answered: true,
  });
  await ask("POST", "/v2", {
    key: undefined,
    headers: { Authorization: "Bearer the-key-that-may-only-read" },
  });
  expect(asked.map(({ body, key, access }) => [body, key, access])).toEqual([
    ["no json", service.apiKey(), "full"],
    ["", "the-key-that-may-only-read", "read"],
  ]);
  const headers = { "X-API-Key": service.apiKey() };
  const inner = await asked[0]?.ask(new Request("http://any/api/instances", { headers }));
  expect(inner?.status).toBe(200);
});

test.each(["GET", "POST", "DELETE", "PUT"])(
  "%s without a key, or a wrong one, is nobody's",
  async (method) => {
    const { ask, asked } = withAgents();
    const none = await ask(method, "/v2", { key: undefined });
    expect([none.status, await errorOf(none)]).toEqual([401, "Unauthorized: API key required"]);
    expect(none.headers.get("www-authenticate")).toMatch(/Bearer/);
    const wrong = await ask(method, "/v2", {
      key: "guess",
      headers: { Origin: "http://evil.example" },
    });
    expect([wrong.status, await errorOf(wrong)]).toEqual([401, "Unauthorized: Invalid API key"]);
    expect(asked).toEqual([]);
  },
);

test("wrong keys are counted as everywhere", async () => {
  const { ask } = withAgents();
  for (let at = 0; at < 20; at += 1) await ask("POST", "/v2", { key: "guess" });
  const answer = await ask("POST", "/instances", { key: "guess" });
  expect(answer.status).toBe(429);
  expect((await ask("POST", "/v2", { key: "guess" })).headers.get("retry-after")).toBe("1");
  expect((await ask("POST", "/v2")).status).toBe(200);
});

test.each(["GET", "DELETE", "PUT", "PATCH"])(
  "%s has no meaning without sessions",
  async (method) => {
    const { ask } = withAgents();
    const answer = await ask(method, "/v2");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "OPTIONS, POST"]);
  },
);

test("a preflight needs no key and allows the protocol's headers", async () => {
  const { ask } = withAgents();
  const answer = await ask("OPTIONS", "/v2", {
    key: undefined,
    headers: { Origin: "http://localhost:6274", "Access-Control-Request-Method": "POST" },
  });
  expect(answer.status).toBe(204);
  expect(answer.headers.get("access-control-allow-headers")).toMatch(/Mcp-Protocol-Version/);
  expect((await ask("OPTIONS", "/v2", { key: undefined })).headers.get("allow")).toBe(
    "OPTIONS, POST",
  );
});

test("a page that rebinds its name to this machine is told which may ask", async () => {
  const { ask, asked } = withAgents(["panel.example"]);
  const from = (origin: string) =>
    ask("POST", "/v2", { headers: { Origin: origin, Host: "evil.example:9090" } });
  const refused = await from("http://evil.example:9090");
  expect([refused.status, await errorOf(refused)]).toEqual([
    403,
    'origin "http://evil.example:9090" is not allowed (allowed: pages of this machine, panel.example)',
  ]);
  expect(asked).toEqual([]);
  expect((await from("https://panel.example")).status).toBe(200);
  expect((await from("http://localhost:6274")).status).toBe(200);
});

test("a body of more than 1 MiB is not read to its end", async () => {
  const { ask, asked } = withAgents();
  const declared = await ask("POST", "/v2", {
    rawBody: "x",
    headers: { "Content-Length": "1048577" },
  });
  expect([declared.status, await errorOf(declared)]).toEqual([413, "body over 1 MiB"]);
  let chunks = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      chunks += 1;
      controller.enqueue(new Uint8Array(65_536));
    },
  });
  expect((await ask("POST", "/v2", { rawBody: endless })).status).toBe(413);
  expect(chunks).toBeLessThan(30);
  expect(asked).toEqual([]);
});

test("without agents there is nothing, nor under /v1", async () => {
  expect((await createAsked().ask("POST", "/v2")).status).toBe(404);
  expect((await withAgents().ask("POST", "/v1/v2")).status).toBe(404);
});
