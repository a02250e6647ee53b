import type { WireInstance } from "@nodepass/model";
import { describe, expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";
import { readEvents } from "./support/event-reader.ts";

/** The dashboard's decoder: any of these as a fraction or a text, and it drops the whole answer. */
const INTEGERS = [
  ...(["mode", "ping", "pool", "tcps", "udps"] as const),
  ...(["tcprx", "tcptx", "udprx", "udptx"] as const),
];
const FRACTIONS = Object.fromEntries(INTEGERS.map((name) => [name, 1234.5678]));

/** What NodePassDash relies on; the numbers are the rows of its list in the compatibility notes. */
describe("NodePassDash", () => {
  test("1: every instance in initial, create and update has alias and meta", async () => {
    const { ask, service, clock } = createAsked();
    service.add({ id: "one" });
    const reader = readEvents(await ask("GET", "/events"));
    const events = await reader.events();
    clock.advance(1000);
    await service.create({ url: "client://h:1/h:2" });
    service.change("one", { status: "error" });
    events.push(...(await reader.events()));
    expect(events.map((event) => event.type)).toEqual(["initial", "initial", "create", "update"]);
    for (const { instance } of events) {
      expect(instance).toMatchObject({
        alias: "",
        meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
      });
    }
  });

  test("2: every event has logs as a string", async () => {
    const { ask, service } = createAsked();
    const instance = service.add({ id: "one" });
    const reader = readEvents(await ask("GET", "/events"));
    service.emit({ type: "log", instance, line: "text" });
    service.emit({ type: "shutdown" });
    for (const event of await reader.rest()) expect(event.logs).toEqual(expect.any(String));
  });

  test("3: items of the list have alias and meta", async () => {
    const { ask, service } = createAsked();
    service.add();
    const list = (await (await ask("GET", "/instances")).json()) as WireInstance[];
    for (const item of list) {
      expect(item).toMatchObject({ alias: "", meta: { peer: {}, tags: {} } });
    }
  });

  test("4: numbers are integers in instances, events, info and tcping", async () => {
    const { ask, service } = createAsked();
    service.add({ id: "one", ...FRACTIONS });
    service.add({
      id: "odd",
      ping: Number.NaN,
      pool: Number.POSITIVE_INFINITY,
      tcprx: 2 ** 70,
      udps: -0.2,
    });
    const list = (await (await ask("GET", "/instances")).json()) as WireInstance[];
    const events = await readEvents(await ask("GET", "/events")).events();
    const shown = [...list, ...events.map((event) => event.instance)];
    expect(shown).toHaveLength(6);
    for (const instance of shown) {
      for (const name of INTEGERS) expect(instance?.[name]).toSatisfy(Number.isSafeInteger);
    }
    expect(list[1]).toMatchObject({ ping: 1235, tcprx: 1235 });
    const info = Object.values((await (await ask("GET", "/info")).json()) as object);
    const numbers = info.filter((value) => typeof value === "number");
    expect(numbers.length).toBeGreaterThan(10);
    for (const number of numbers) expect(number).toSatisfy(Number.isSafeInteger);
    const ping = (await (await ask("GET", "/tcping?target=h:1")).json()) as { latency: number };
    expect(ping.latency).toBe(2);
  });

  test("5: tags are strings, others are refused", async () => {
    const { ask, service } = createAsked();
    service.add({ id: "one" });
    const body = { meta: { tags: { n: 5 } } };
    expect((await ask("PATCH", "/instances/one", { body })).status).toBe(400);
  });

  test("6: retry comes first and at once", async () => {
    const { ask } = createAsked();
    expect((await readEvents(await ask("GET", "/events")).frames())[0]).toBe("retry: 3000");
  });

  test("7: the first burst has the key's entry, with an empty type", async () => {
    const { ask } = createAsked();
    const events = await readEvents(await ask("GET", "/events")).events();
    expect(events).toMatchObject([{ type: "initial", instance: { id: "********", type: "" } }]);
  });

  test("8: a create event comes with the answer to POST", async () => {
    const { ask } = createAsked();
    const reader = readEvents(await ask("GET", "/events"));
    await reader.events();
    const next = reader.events();
    const created = await ask("POST", "/instances", { body: { url: "client://h:1/h:2" } });
    const { id } = (await created.json()) as WireInstance;
    expect(await next).toMatchObject([{ type: "create", instance: { id } }]);
  });

  test("9: a line of 70 kB does not make a frame of 64 KiB", async () => {
    const { ask, service } = createAsked();
    const instance = service.add();
    const reader = readEvents(await ask("GET", "/events"));
    await reader.events();
    service.emit({ type: "log", instance, line: "ü".repeat(70_000) });
    for (const frame of await reader.frames()) {
      expect(Buffer.byteLength(frame)).toBeLessThan(65_536);
    }
  });

  test("10: the content type of /events is exactly text/event-stream", async () => {
    const { ask } = createAsked();
    const response = await ask("GET", "/events");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
  });

  test("11: answers are application/json", async () => {
    const { ask } = createAsked();
    for (const path of ["/instances", "/instances/********", "/info", "/tcping?target=h:1"]) {
      expect((await ask("GET", path)).headers.get("content-type")).toBe("application/json");
    }
  });

  test("12: ver is 1.10.0 or later", async () => {
    const { ask } = createAsked();
    const { ver } = (await (await ask("GET", "/info")).json()) as { ver: string };
    const [major = 0, minor = 0] = ver.split(".").map(Number);
    expect(major * 1000 + minor).toBeGreaterThanOrEqual(1010);
  });

  test("13: shutdown comes before the end, also when the key is renewed", async () => {
    const { ask, api } = createAsked();
    for (const end of [
      () => ask("PATCH", "/instances/********", { body: { action: "restart" } }),
      () => api.close(),
    ]) {
      const reader = readEvents(await ask("GET", "/events"));
      const rest = reader.rest();
      await end();
      expect((await rest).at(-1)).toMatchObject({ type: "shutdown", instance: null });
    }
  });

  test("14: null is taken in meta.peer, {} in meta.tags", async () => {
    const { ask, service } = createAsked();
    service.add({ id: "one" });
    for (const meta of [{ peer: { sid: "x", type: "0", alias: null } }, { tags: {} }]) {
      expect((await ask("PATCH", "/instances/one", { body: { meta } })).status).toBe(200);
    }
  });

  test("15: odd URLs reach the service, and come back, byte for byte", async () => {
    const { ask, service } = createAsked();
    for (const url of [
      "server://:1/h:2?log=info&&mode=2",
      "client://p%w@:2/h:2?log=&tls=inherit&cert=..&x[]=%zz",
      "client://ä@h:3/h:2?extend_target_address=a%2Cb",
    ]) {
      const created = await ask("POST", "/instances", { body: { url } });
      expect(created.status).toBe(201);
      expect(((await created.json()) as WireInstance).url).toBe(url);
      expect(service.calls.at(-1)?.arguments[0]).toBe(url);
    }
  });

  test("16: DELETE of a missing instance is 404", async () => {
    const { ask } = createAsked();
    expect((await ask("DELETE", "/instances/none")).status).toBe(404);
  });
});
