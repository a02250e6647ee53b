import type { TcpingResult } from "@nodepass/model";
import { expect, test } from "vitest";
import { createAsked, errorOf } from "./support/ask.ts";

const get = (target: string) => `/tcping?target=${target}`;

test.each([
  ["example.com:443", "example.com", 443],
  ["127.0.0.1:1", "127.0.0.1", 1],
  ["[::1]:65535", "::1", 65_535],
  ["%5B::1%5D:80", "::1", 80],
])("the target %s is tried, and answered with whole milliseconds", async (text, host, port) => {
  const { ask, service } = createAsked();
  const response = await ask("GET", get(text));
  expect(response.status).toBe(200);
  const target = decodeURIComponent(text);
  expect(await response.json()).toEqual({ target, connected: true, latency: 2, error: null });
  expect(service.calls).toEqual([{ name: "tcping", arguments: [host, port] }]);
});

test("a failure is 200 with connected false and a text", async () => {
  const { ask, service } = createAsked();
  service.onTcping = () => Promise.resolve({ connected: false, latencyMs: 0, error: "refused" });
  expect(await (await ask("GET", get("h:1"))).json()).toEqual({
    target: "h:1",
    connected: false,
    latency: 0,
    error: "refused",
  });
});

test.each(["", "h", "h:", ":80", "h:0", "h:65536", "h:x", "::1:80", "[h]:80", "a%20b:80", "h:1/x"])(
  "the target %j is 400 and named",
  async (target) => {
    const { ask, service } = createAsked();
    const response = await ask("GET", get(target));
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toContain(decodeURIComponent(target));
    expect(service.calls).toEqual([]);
  },
);

test("a missing target, two of them and an endless one are 400", async () => {
  const { ask } = createAsked();
  expect(await errorOf(await ask("GET", "/tcping"))).toBe("target: missing");
  expect((await ask("GET", "/tcping?target=a:1&target=b:2")).status).toBe(400);
  expect((await ask("GET", get(`${"a".repeat(400)}:1`))).status).toBe(400);
});

test("a ping ends after 5 s even if the service does not heed the signal", async () => {
  const { ask, service, clock } = createAsked();
  let signal: AbortSignal | undefined;
  const asked = new Promise<void>((resolve) => {
    service.onTcping = (_host, _port, given) => {
      signal = given;
      resolve();
      return new Promise<TcpingResult>(() => undefined);
    };
  });
  const answer = ask("GET", get("h:1"));
  await asked;
  clock.advance(4999);
  expect(signal?.aborted).toBe(false);
  clock.advance(1);
  expect(signal?.aborted).toBe(true);
  expect(await (await answer).json()).toMatchObject({
    connected: false,
    error: expect.stringContaining("5000 ms"),
  });
  expect(clock.pending).toBe(0);
});

test("at most 10 run at once; the next waits, at most a second, and is then told so", async () => {
  const { ask, service, clock } = createAsked();
  const finish: (() => void)[] = [];
  service.onTcping = () =>
    new Promise((resolve) => {
      finish.push(() => resolve({ connected: true, latencyMs: 1, error: null }));
    });
  const answers = Array.from({ length: 12 }, () => ask("GET", get("h:1")));
  const settle = async () => {
    for (let i = 0; i < 50; i += 1) await Promise.resolve();
  };
  await settle();
  expect(finish).toHaveLength(10);
  finish[0]?.();
  await settle();
  expect(finish).toHaveLength(11);
  clock.advance(1000);
  const last = await answers[11];
  expect(await last?.json()).toMatchObject({
    connected: false,
    error: "more than 10 pings at once",
  });
  for (const end of finish) end();
  expect((await Promise.all(answers)).map((answer) => answer.status)).toEqual(Array(12).fill(200));
});
