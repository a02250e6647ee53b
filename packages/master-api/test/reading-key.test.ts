import { expect, test } from "vitest";
import { createAsked, errorOf } from "./support/ask.ts";
import { readEvents } from "./support/event-reader.ts";

const READ = "the-key-that-may-only-read";
const reading = { key: READ };

function seeded() {
  const asked = createAsked();
  asked.service.readKey = READ;
  asked.service.add({
    id: "one",
    url: "server://tunnelsecret@127.0.0.1:1/127.0.0.1:2",
    config: "server://tunnelsecret@127.0.0.1:1/127.0.0.1:2?log=info",
  });
  return asked;
}

test.each(["/instances", "/instances/one", "/instances/********", "/info", "/metrics"])(
  "GET %s is for the reading key too, without the API key and the tunnels' keys",
  async (path) => {
    const { ask, service } = seeded();
    const response = await ask("GET", path, reading);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).not.toContain(service.apiKey());
    expect(text).not.toContain("tunnelsecret");
  },
);

test.each(["/instances/one/logs", "/instances/one/history"])("GET %s too", async (path) => {
  expect((await seeded().ask("GET", path, reading)).status).toBe(200);
});

test.each([
  ["POST", "/instances", { url: "server://127.0.0.1:3/127.0.0.1:4" }],
  ["PATCH", "/instances/one", { action: "stop" }],
  ["PATCH", "/instances/********", { action: "restart" }],
  ["PUT", "/instances/one", { url: "server://127.0.0.1:3/127.0.0.1:4" }],
  ["DELETE", "/instances/one", undefined],
  ["POST", "/info", { alias: "x" }],
  ["POST", "/keys/full", undefined],
  ["POST", "/keys/read", undefined],
  ["GET", "/tcping?target=127.0.0.1:1", undefined],
] as const)("%s %s is not", async (method, path, body) => {
  const { ask, service } = seeded();
  const response = await ask(method, path, { ...reading, body });
  expect(response.status).toBe(403);
  expect(await errorOf(response)).toBe("this key may only read");
  expect(service.calls).toEqual([]);
});

test("events are, by header and by ticket, and keep the tunnels' keys to themselves", async () => {
  const { ask, service } = seeded();
  const { ticket } = (await (await ask("POST", "/events/ticket", reading)).json()) as {
    readonly ticket: string;
  };
  for (const answer of [
    await ask("GET", "/events", reading),
    await ask("GET", `/events?ticket=${ticket}`, { key: undefined }),
  ]) {
    expect(answer.status).toBe(200);
    const reader = readEvents(answer);
    service.emit({ type: "shutdown" });
    const text = JSON.stringify(await reader.rest());
    expect(text).toContain("127.0.0.1:1/127.0.0.1:2");
    expect(text).not.toContain("tunnelsecret");
  }
});

test("a full stream beside it still has them", async () => {
  const { ask, service } = seeded();
  const reader = readEvents(await ask("GET", "/events"));
  service.emit({ type: "shutdown" });
  expect(JSON.stringify(await reader.rest())).toContain("tunnelsecret");
});

test("both keys are made anew, which ends the streams", async () => {
  const { ask, service } = seeded();
  for (const access of ["read", "full"] as const) {
    const reader = readEvents(await ask("GET", "/events"));
    const before = access === "full" ? service.apiKey() : service.readKey;
    const response = await ask("POST", `/keys/${access}`);
    expect(response.status).toBe(201);
    const { key } = (await response.json()) as { readonly key: string };
    expect(key).not.toBe(before);
    expect(key).toBe(access === "full" ? service.apiKey() : service.readKey);
    await reader.rest();
    expect((await ask("GET", "/info", { key: before })).status).toBe(401);
  }
  expect((await ask("POST", "/keys/other")).status).toBe(400);
});
