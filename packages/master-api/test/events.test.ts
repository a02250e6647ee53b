import { KEY_INSTANCE_ID } from "@nodepass/model";
import { describe, expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";
import { eventsOf, readEvents } from "./support/event-reader.ts";
import { instanceOf, MASTER_ID } from "./support/fake-service.ts";

describe.each(["/api", "/api/v1"])("%s/events", (base) => {
  test("begins with retry, then one initial for each instance, the key's too", async () => {
    const { ask, service } = createAsked({ base });
    const one = service.add({ id: "one" });
    const two = service.add({ id: "two" });
    const response = await ask("GET", "/events");
    expect(response.status).toBe(200);
    const frames = await readEvents(response).frames();
    expect(frames[0]).toBe("retry: 3000");
    expect(eventsOf(frames)).toEqual([
      {
        type: "initial",
        time: "2026-01-02T03:04:05.678Z",
        instance: expect.objectContaining({ id: KEY_INSTANCE_ID, type: "" }),
        logs: "",
      },
      expect.objectContaining({ type: "initial", instance: one }),
      expect.objectContaining({ type: "initial", instance: two }),
    ]);
    for (const frame of frames.slice(1)) {
      expect(frame).toMatch(
        /^event: instance\ndata: \{"type":"initial","time":"[^"]+","instance":\{.*\},"logs":""\}$/,
      );
    }
  });

  test("has the headers that clients and proxies need, and is not compressed", async () => {
    const { ask } = createAsked({ base });
    const headers = { "Accept-Encoding": "gzip, br", Accept: "text/event-stream" };
    const response = await ask("GET", "/events", { headers });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    expect(response.headers.has("content-encoding")).toBe(false);
    await response.body?.cancel();
  });
});

test("create, update, delete and log are told as they happen", async () => {
  const { ask, service, clock } = createAsked();
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  const created = reader.events();
  const { id } = (await (
    await ask("POST", "/instances", { body: { url: "client://h:1/h:2" } })
  ).json()) as { id: string };
  expect(await created).toMatchObject([{ type: "create", instance: { id }, logs: "" }]);

  clock.advance(100);
  const updated = reader.events();
  const instance = service.change(id, { status: "error" });
  expect(await updated).toMatchObject([{ type: "update", instance: { id, status: "error" } }]);

  const logged = reader.events();
  service.emit({ type: "log", instance, line: "hello" });
  expect(await logged).toMatchObject([{ type: "log", instance: { id }, logs: "hello" }]);

  const deleted = reader.events();
  await ask("DELETE", `/instances/${id}`);
  expect(await deleted).toMatchObject([{ type: "delete", instance: { id }, logs: "" }]);
});

test("the key is in no event", async () => {
  const { ask, service } = createAsked();
  const frames = await readEvents(await ask("GET", "/events")).frames();
  expect(frames.join("")).not.toContain(service.apiKey());
  expect(eventsOf(frames)[0]?.instance).toMatchObject({ url: "", config: MASTER_ID });
});

test("shutdown has no instance and ends every stream cleanly, after what was waiting", async () => {
  const { ask, service } = createAsked();
  const readers = [
    readEvents(await ask("GET", "/events")),
    readEvents(await ask("GET", "/events")),
  ];
  for (const reader of readers) await reader.events();
  service.add({ id: "one" });
  service.change("one", { status: "error" });
  service.emit({ type: "shutdown" });
  for (const reader of readers) {
    expect(await reader.rest()).toMatchObject([
      { type: "update", instance: { status: "error" } },
      { type: "shutdown", instance: null, logs: "" },
    ]);
  }
});

test("close() ends the streams, refuses new ones and lets the service go", async () => {
  const { ask, api, service } = createAsked();
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  const rest = reader.rest();
  await Promise.all([api.close(), api.close()]);
  expect(await rest).toMatchObject([{ type: "shutdown" }]);
  expect(service.listeners).toBe(0);
  expect((await ask("GET", "/events")).status).toBe(503);
});

test("close() breaks off a reader that does not take its shutdown", async () => {
  const { ask, api, clock } = createAsked({ events: { drainTimeoutMs: 1000 } });
  const reader = readEvents(await ask("GET", "/events"));
  const closing = api.close();
  clock.advance(1000);
  await closing;
  await expect(reader.rest()).rejects.toThrow("it is closing");
  expect(clock.pending).toBe(0);
});

test("a comment keeps an idle stream alive, and is no event", async () => {
  const { ask, clock } = createAsked();
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  const next = reader.frames();
  clock.advance(15_000);
  expect(await next).toEqual([": keep-alive"]);
});

test("a running instance is shown again after a minute without an event", async () => {
  const { ask, service, clock } = createAsked({ events: { keepAliveMs: 3_600_000 } });
  service.add({ id: "still", status: "stopped" });
  service.add({ id: "runs" });
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  const next = reader.events();
  clock.advance(60_000);
  expect(await next).toMatchObject([{ type: "update", instance: { id: "runs" } }]);
});

test("two states of one instance never leave in the same instant; the latest one wins", async () => {
  const { ask, service, clock } = createAsked();
  service.add({ id: "one" });
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  clock.advance(1000);
  const first = reader.events();
  service.change("one", { status: "stopped" });
  expect(await first).toMatchObject([{ instance: { status: "stopped" } }]);
  const second = reader.events();
  service.change("one", { status: "error" });
  service.change("one", { status: "running" });
  let arrived = false;
  void second.then(() => {
    arrived = true;
  });
  clock.advance(99);
  await Promise.resolve();
  expect(arrived).toBe(false);
  clock.advance(1);
  expect(await second).toMatchObject([{ instance: { status: "running" } }]);
});

test("HEAD opens no stream", async () => {
  const { ask, clock } = createAsked();
  const response = await ask("HEAD", "/events");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(clock.pending).toBe(0);
});

test("more streams than allowed are 503; one that goes makes room", async () => {
  const { ask } = createAsked({ events: { maxReaders: 2 } });
  const first = await ask("GET", "/events");
  expect(first.status).toBe(200);
  expect((await ask("GET", "/events")).status).toBe(200);
  const third = await ask("GET", "/events");
  expect(third.status).toBe(503);
  expect(await third.json()).toEqual({ error: "too many event streams" });
  await first.body?.cancel();
  expect((await ask("GET", "/events")).status).toBe(200);
});

test("log lines leave without check points, markup and foreign escapes, one per event", async () => {
  const { ask, service } = createAsked();
  const instance = service.add();
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  const line =
    "12:00 \u001b[32mINFO \u001b[0m <img src=x>\nCHECK_POINT|MODE=1\nsecond\u001b[2J\u0007 line\r\n";
  service.emit({ type: "log", instance, line });
  const logs = (await reader.events()).map((event) => event.logs);
  expect(logs).toEqual(["12:00 \u001b[32mINFO \u001b[0m ‹img src=x›", "second  line"]);
});

test("no frame reaches 64 KiB, however long URL, tags and line are", async () => {
  const { ask, service } = createAsked();
  const tags = Object.fromEntries([...Array(60).keys()].map((n) => [`t${n}`, '"'.repeat(60)]));
  const url = `client://h:1/h:2?x=${'"'.repeat(8000)}`;
  service.add(
    instanceOf({
      id: "big",
      url,
      config: url.replaceAll('"', "%22"),
      meta: { ...instanceOf().meta, tags },
    }),
  );
  const huge = service.add(instanceOf({ id: "huge", config: "ü".repeat(50_000) }));
  const reader = readEvents(await ask("GET", "/events"));
  const frames: string[] = [];
  service.emit({ type: "log", instance: huge, line: "\u0001<ü\u{1f986}".repeat(20_000) });
  service.emit({ type: "shutdown" });
  for (let ended = false; !ended; ) {
    const next = await reader.frames();
    frames.push(...next);
    ended = next.some((frame) => frame.includes('"shutdown"'));
  }
  for (const frame of frames) expect(Buffer.byteLength(frame)).toBeLessThan(65_530);
  expect(eventsOf(frames).map((event) => event.instance?.id)).toEqual([
    KEY_INSTANCE_ID,
    "big",
    "huge",
    "huge",
    undefined,
  ]);
  expect(eventsOf(frames)[2]?.instance).toMatchObject({ id: "huge", config: "", url: huge.url });
});
