import { KEY_INSTANCE_ID, type WireInstance } from "@nodepass/model";
import { expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";
import { readEvents } from "./support/event-reader.ts";
import { MASTER_ID } from "./support/fake-service.ts";

const PATH = `/instances/${KEY_INSTANCE_ID}`;

test("GET by id shows the key and the master's id, also when the id is percent-encoded", async () => {
  const { ask, service } = createAsked();
  const expected = { id: KEY_INSTANCE_ID, url: service.apiKey(), config: MASTER_ID };
  expect(await (await ask("GET", PATH)).json()).toMatchObject(expected);
  const encoded = `/instances/${"%2A".repeat(8)}`;
  expect(await (await ask("GET", encoded)).json()).toMatchObject(expected);
});

test("restart makes a new key, answers it in url, and refuses the old one", async () => {
  const { ask, service } = createAsked();
  const old = service.apiKey();
  const response = await ask("PATCH", PATH, { body: { action: "restart" } });
  expect(response.status).toBe(200);
  const { url } = (await response.json()) as WireInstance;
  expect(url).not.toBe(old);
  expect(url).toBe(service.apiKey());
  expect((await ask("GET", "/instances", { key: old })).status).toBe(401);
  expect((await ask("GET", "/instances", { key: url })).status).toBe(200);
});

test("open streams get shutdown and end when the key is renewed; new ones can be opened", async () => {
  const { ask } = createAsked();
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  const rest = reader.rest();
  await ask("PATCH", PATH, { body: { action: "restart" } });
  expect(await rest).toEqual([
    { type: "shutdown", time: expect.any(String), instance: null, logs: "" },
  ]);
  expect((await ask("GET", "/events")).status).toBe(200);
});

test("tickets die with the key that they were got with", async () => {
  const { ask } = createAsked();
  const { ticket } = (await (await ask("POST", "/events/ticket")).json()) as { ticket: string };
  await ask("PATCH", PATH, { body: { action: "restart" } });
  expect((await ask("GET", `/events?ticket=${ticket}`, { key: undefined })).status).toBe(401);
});

test("a key that could not be saved stays, and the streams go on", async () => {
  const { ask, service } = createAsked();
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  service.failure = "UNAVAILABLE";
  expect((await ask("PATCH", PATH, { body: { action: "restart" } })).status).toBe(503);
  const next = reader.events();
  service.add({ id: "one" });
  service.change("one", { alias: "x" });
  expect((await next).map((event) => event.type)).toEqual(["update"]);
});

test.each([{}, { alias: "x" }, { restart: true }, { action: "stop" }, { action: "reset" }])(
  "PATCH %j does nothing to it",
  async (body) => {
    const { ask, service } = createAsked();
    const before = await (await ask("GET", PATH)).json();
    const response = await ask("PATCH", PATH, { body });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(before);
    expect(service.calls).toEqual([]);
  },
);

test("an unknown action on it is 400", async () => {
  const { ask } = createAsked();
  expect((await ask("PATCH", PATH, { body: { action: "renew" } })).status).toBe(400);
});

test("PUT and DELETE of it are 403", async () => {
  const { ask } = createAsked();
  const put = await ask("PUT", PATH, { body: { url: "client://h:1/h:2" } });
  expect(put.status).toBe(403);
  expect(await put.json()).toEqual({ error: expect.any(String) });
  expect((await ask("DELETE", PATH)).status).toBe(403);
});
