import { expect, test } from "vitest";
import { type Trusted, trustedEnvironment } from "../src/index.ts";
import { createAsked, errorOf } from "./support/ask.ts";
import { readEvents } from "./support/event-reader.ts";

const URL_WITH_KEY = "server://tunnelsecret@127.0.0.1:1/127.0.0.1:2";

function seeded() {
  const asked = createAsked();
  asked.service.add({ id: "one", url: URL_WITH_KEY, config: `${URL_WITH_KEY}?log=info` });
  const as =
    (role: Trusted["role"], environment: object = trustedEnvironment({ role })) =>
    async (method: string, path: string, body?: unknown): Promise<Response> => {
      const request = new Request(`http://master.example/api${path}`, {
        method,
        body: body === undefined ? null : JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
      });
      return asked.api.app.fetch(request, environment);
    };
  return { ...asked, as };
}

const READS = ["/instances", "/instances/one", "/instances/********", "/info", "/metrics"];

test.each(["viewer", "operator"] as const)("a %s reads without any key", async (role) => {
  const { as, service } = seeded();
  for (const path of READS) {
    const response = await as(role)("GET", path);
    expect(response.status, path).toBe(200);
    const text = await response.text();
    expect(text).not.toContain("tunnelsecret");
    expect(text).not.toContain(service.apiKey());
  }
});

test("an admin sees the tunnels' keys, and never the API key", async () => {
  const { as, service } = seeded();
  expect(await (await as("admin")("GET", "/instances/one")).text()).toContain("tunnelsecret");
  for (const path of READS) {
    expect(await (await as("admin")("GET", path)).text()).not.toContain(service.apiKey());
  }
  const renewed = await as("admin")("PATCH", "/instances/********", { action: "restart" });
  expect(renewed.status).toBe(200);
  expect(await renewed.text()).not.toContain(service.apiKey());
  expect((await as("admin")("POST", "/keys/read")).status).toBe(201);
});

test("a viewer changes nothing", async () => {
  const { as, service } = seeded();
  const refused = await as("viewer")("PATCH", "/instances/one", { action: "stop" });
  expect(refused.status).toBe(403);
  expect(await errorOf(refused)).toBe("the role viewer may only read");
  expect(service.calls).toEqual([]);
});

test("an operator changes instances, is shown no key in the answer, and makes none", async () => {
  const { as, service } = seeded();
  const changes = [
    ["PATCH", "/instances/one", { action: "restart" }],
    ["PATCH", "/instances/one", {}],
    ["PUT", "/instances/one", { url: "server://tunnelsecret@127.0.0.1:3/127.0.0.1:2" }],
    ["POST", "/instances", { url: "server://tunnelsecret@127.0.0.1:5/127.0.0.1:6" }],
  ] as const;
  for (const [method, path, body] of changes) {
    const response = await as("operator")(method, path, body);
    expect(response.ok, `${method} ${path}`).toBe(true);
    expect(await response.text()).not.toContain("tunnelsecret");
  }
  const before = service.apiKey();
  for (const [path, body, method] of [
    ["/keys/full", undefined, "POST"],
    ["/keys/read", undefined, "POST"],
    ["/instances/********", { action: "restart" }, "PATCH"],
  ] as const) {
    expect((await as("operator")(method, path, body)).status, path).toBe(403);
  }
  expect(service.apiKey()).toBe(before);
});

test("events have the tunnels' keys for an admin only, by ticket, too", async () => {
  for (const [role, sees] of [
    ["viewer", false],
    ["operator", false],
    ["admin", true],
  ] as const) {
    const { as, ask, service } = seeded();
    const issued = await as(role)("POST", "/events/ticket");
    const { ticket } = (await issued.json()) as { readonly ticket: string };
    for (const answer of [
      await as(role)("GET", "/events"),
      await ask("GET", `/events?ticket=${ticket}`, { key: undefined }),
    ]) {
      expect(answer.status).toBe(200);
      const reader = readEvents(answer);
      service.emit({ type: "shutdown" });
      expect(JSON.stringify(await reader.rest()).includes("tunnelsecret"), role).toBe(sees);
    }
  }
});

test("nothing that a program's environment or a client could name is trusted", async () => {
  const { as } = seeded();
  for (const forged of [
    { role: "admin", access: "full", trusted: "admin", "nodepass.trusted": "admin" },
    { [Symbol.for("nodepass.trusted")]: "admin" },
    { [Symbol("nodepass.trusted")]: "admin" },
    JSON.parse(JSON.stringify(trustedEnvironment({ role: "admin" }))),
    {},
  ]) {
    expect((await as("admin", forged)("GET", "/info")).status).toBe(401);
  }
});
