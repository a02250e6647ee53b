import { SILENT_LOGGER } from "@nodepass/model";
import { expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";
import { type ReadEvent, readEvents } from "./support/event-reader.ts";
import { instanceOf } from "./support/fake-service.ts";

const shown = (events: readonly ReadEvent[]) =>
  events.map(({ type, instance, logs }) => `${type} ${instance?.id ?? ""} ${logs}`.trim());

test("a slow reader gets each instance's latest state, once", async () => {
  const { ask, service, clock } = createAsked();
  service.add({ id: "one" });
  service.add({ id: "two" });
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  clock.advance(1000);
  for (let tcprx = 1; tcprx <= 10_000; tcprx += 1) {
    service.change("one", { tcprx });
    service.change("two", { tcprx: tcprx * 2 });
  }
  expect(await reader.events()).toMatchObject([
    { type: "update", instance: { id: "one", tcprx: 10_000 } },
    { type: "update", instance: { id: "two", tcprx: 20_000 } },
  ]);
});

test("what was created and deleted meanwhile ends as deleted; what was created is told", async () => {
  const { ask, service } = createAsked();
  const known = service.add({ id: "known" });
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  const brief = instanceOf({ id: "brief" });
  service.emit({ type: "create", instance: brief });
  service.emit({ type: "delete", instance: brief });
  await service.remove(known.id);
  const { id } = await service.create({ url: "client://h:1/h:2" });
  service.change(id, { status: "error" });
  const events = await reader.events();
  expect(shown(events)).toEqual(["delete brief", "delete known", `create ${id}`]);
  expect(events[2]?.instance?.status).toBe("error");
});

test("a reader that has not had its initials gets them with the state of the moment", async () => {
  const { ask, service } = createAsked();
  service.add({ id: "one" });
  const reader = readEvents(await ask("GET", "/events"));
  service.change("one", { status: "error" });
  const events = await reader.events();
  expect(shown(events)).toEqual(["initial ********", "initial one"]);
  expect(events[1]?.instance?.status).toBe("error");
});

test("the oldest log lines go first, are counted, and a mark says so", async () => {
  const { ask, service } = createAsked({ events: { maxQueuedLines: 3 } });
  const instance = service.add({ id: "one" });
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  for (let n = 1; n <= 10; n += 1) service.emit({ type: "log", instance, line: `line ${n}` });
  expect(shown(await reader.events())).toEqual([
    "log one (7 log lines left out)",
    "log one line 8",
    "log one line 9",
    "log one line 10",
  ]);
  service.emit({ type: "log", instance, line: "line 11" });
  expect(shown(await reader.events())).toEqual(["log one line 11"]);
});

test("a reader that never reads is cut off, as an error and not as an end", async () => {
  const { ask, service, clock } = createAsked();
  service.add({ id: "one" });
  const reader = readEvents(await ask("GET", "/events"));
  clock.advance(29_999);
  service.change("one", { tcprx: 1 });
  clock.advance(1);
  await expect(reader.rest()).rejects.toThrow("reader is too slow");
  expect(clock.pending).toBe(0);
});

test("a reader that lets thousands of lines drop is cut off before its time", async () => {
  const { ask, service } = createAsked({
    events: { maxQueuedLines: 8, maxDroppedLines: 100 },
  });
  const instance = service.add({ id: "one" });
  const reader = readEvents(await ask("GET", "/events"));
  for (let n = 0; n < 108; n += 1) service.emit({ type: "log", instance, line: "x" });
  const fine = await reader.events();
  expect(fine.at(-1)?.type).toBe("log");
  for (let n = 0; n < 109; n += 1) service.emit({ type: "log", instance, line: "x" });
  await expect(reader.rest()).rejects.toThrow("reader is too slow");
});

test("a reader that is cut off loses its connection, if the server can do that, and is reported", async () => {
  const warnings: unknown[] = [];
  const dropped: string[] = [];
  const { ask, clock } = createAsked({
    disconnect: (context) => dropped.push(context.req.path),
    logger: { ...SILENT_LOGGER, warn: (...given) => warnings.push(given) },
  });
  const reader = readEvents(await ask("GET", "/events"));
  clock.advance(30_000);
  expect(dropped).toEqual(["/api/events"]);
  expect(warnings).toEqual([[{ reason: "reader is too slow" }, "event stream cut off"]]);
  expect(await (await ask("GET", "/metrics")).text()).toMatch(/^nodepass_event_readers 0$/m);
  await reader.cancel();
});

test("a reader that stopped is not cut off for an idle time in which nothing waited", async () => {
  const { ask, service, clock } = createAsked();
  service.add({ id: "one" });
  const reader = readEvents(await ask("GET", "/events"));
  await reader.events();
  const next = reader.events();
  clock.advance(10_000);
  service.change("one", { tcprx: 1 });
  expect(await next).toMatchObject([{ type: "update", instance: { tcprx: 1 } }]);
});

test("1,000 readers that come and go leave nothing behind", async () => {
  const { ask, service, clock } = createAsked();
  const instance = service.add({ id: "one" });
  for (let n = 0; n < 1000; n += 1) {
    const response = await ask("GET", "/events");
    const reader = readEvents(response);
    if (n % 2 === 0) await reader.events();
    service.emit({ type: "log", instance, line: "x" });
    service.change("one", { tcprx: n });
    await reader.cancel();
  }
  expect(clock.pending).toBe(0);
  expect(await (await ask("GET", "/metrics")).text()).toMatch(/^nodepass_event_readers 0$/m);
});

test("1,000 instances reach a slow reader in chunks that each fit a few frames", async () => {
  const { ask, service } = createAsked();
  for (let n = 0; n < 1000; n += 1) service.add({ id: `i${n}` });
  const reader = readEvents(await ask("GET", "/events"));
  let events = 0;
  let chunks = 0;
  while (events < 1001) {
    events += (await reader.events()).length;
    chunks += 1;
  }
  expect(events).toBe(1001);
  expect(chunks).toBeGreaterThan(20);
});
