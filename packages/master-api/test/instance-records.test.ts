import { expect, test } from "vitest";
import { createAsked, errorOf } from "./support/ask.ts";

test("the last log lines are asked for by number and time", async () => {
  const { ask, service } = createAsked();
  service.add({ id: "one" });
  service.lines = [{ time: "2026-01-02T03:04:05.000Z", level: "warn", line: "a line" }];
  const response = await ask(
    "GET",
    "/instances/one/logs?tail=20&since=2026-01-02T03:04:05%2B01:00",
  );
  expect(await response.json()).toEqual({ lines: service.lines, total: 1 });
  expect(service.calls.at(-1)).toEqual({
    name: "logs",
    arguments: ["one", { tail: 20, since: Date.UTC(2026, 0, 2, 2, 4, 5) }],
  });
  await ask("GET", "/instances/one/logs");
  expect(service.calls.at(-1)?.arguments).toEqual(["one", {}]);
});

test.each(["tail=-1", "tail=x", "tail=10001", "tail=1&tail=2", "since=yesterday"])(
  "logs with %s is 400 and says what is allowed",
  async (query) => {
    const { ask, service } = createAsked();
    service.add({ id: "one" });
    const response = await ask("GET", `/instances/one/logs?${query}`);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatch(/tail|since/);
  },
);

test("history has a range, the last hour if none is given", async () => {
  const { ask, service } = createAsked();
  service.add({ id: "one" });
  for (const [query, step] of [
    ["", 5],
    ["?range=day", 60],
    ["?range=month", 900],
  ] as const) {
    const answer = (await (await ask("GET", `/instances/one/history${query}`)).json()) as object;
    expect(answer).toMatchObject({ step, rx: [null, 15], ping: [null, 15] });
  }
  expect((await ask("GET", "/instances/one/history?range=year")).status).toBe(400);
});

test.each(["logs", "history"])("%s of nobody and of the key's entry is 404", async (what) => {
  const { ask } = createAsked();
  expect((await ask("GET", `/instances/nobody/${what}`)).status).toBe(404);
  expect((await ask("GET", `/instances/********/${what}`)).status).toBe(404);
});

test("POST and PUT tell what was overlooked, PUT what it did", async () => {
  const { ask, service } = createAsked();
  service.warnings = ["rat is no parameter"];
  service.changes = { inPlace: ["rate"], restarted: ["tls"] };
  const url = "server://127.0.0.1:1/127.0.0.1:2";
  const made = (await (await ask("POST", "/instances", { body: { url } })).json()) as {
    readonly id: string;
  };
  expect(made).toMatchObject({ warnings: service.warnings, reason: "", link: "up" });
  const replaced = await ask("PUT", `/instances/${made.id}`, { body: { url: `${url}?rate=1` } });
  expect(await replaced.json()).toMatchObject({
    warnings: service.warnings,
    changes: service.changes,
  });
});
