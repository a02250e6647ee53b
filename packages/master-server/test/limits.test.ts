import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished, vi } from "vitest";
import { openHttpServer, resolveServerLimits } from "../src/index.ts";
import { startMaster, type TestMaster } from "./support/start-master.ts";

function open({ master }: TestMaster): Socket {
  const socket = createConnection(master.address.port, "127.0.0.1").on("error", () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

function request({ master }: TestMaster, method: string, path: string, headers = ""): string {
  const key = `X-API-Key: ${master.apiKey}\r\n`;
  return `${method} /api${path} HTTP/1.1\r\nHost: x\r\n${key}${headers}\r\n`;
}

/** Sends `content` and reads until the server closes. */
async function say(started: TestMaster, content: string): Promise<string> {
  const socket = open(started);
  socket.write(content);
  return text(socket);
}

it.each([
  ["nothing", ""],
  ["half a line", "GET /api/info HT"],
  ["headers without an end", "GET /api/info HTTP/1.1\r\nHost: x\r\nX-Slow: 1\r\n"],
])("closes a connection that sends %s", async (_what, content) => {
  const started = await startMaster({ limits: { headersTimeoutMs: 500 } });
  const answer = await say(started, content);
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(answer).toMatch(/\r\n\r\n\{"error":"Request timeout"\}$/);
});

it("closes a connection whose body does not end", async () => {
  const limits = { headersTimeoutMs: 200, requestTimeoutMs: 500 };
  const started = await startMaster({ limits });
  const head = request(started, "POST", "/instances", "Content-Length: 1000\r\n");
  expect(await say(started, `${head}{`)).toMatch(/^HTTP\/1\.1 408 /);
  expect(started.log()).not.toContain("ERROR");
});

it.each([
  ["headers that are too large", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
  ["what is no HTTP", "\x16\x03\x01 hello\r\n\r\n", 400],
  ["HTTP/1.1 without a host", "GET /api/info HTTP/1.1\r\n\r\n", 400],
  ["a length that is none", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    400,
  ],
  ...["[::1]:9090", "[0:0:0:0:0:0:0:1]:9090", "[::FFFF:127.0.0.1]", "[fe80::1%eth0]:80"].map(
    (host): [string, string, number] => [
      `whom the client knows as ${host}`,
      `GET /api/openapi.json HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      200,
    ],
  ),
  ["a host that is none", "GET /api/info HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400],
])("answers %s", async (_what, content, status) => {
  const started = await startMaster();
  expect(await say(started, content)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(await started.api.get("/info")).toBeDefined();
  expect(started.log()).not.toContain("ERROR");
});

it("says nothing of clients that go away in the middle of a request", async () => {
  const started = await startMaster();
  const head = request(started, "POST", "/instances", "Content-Length: 1000\r\n");
  for (let count = 0; count < 20; count++) {
    const socket = open(started);
    socket.write(`${head}{"url"`);
    await once(socket, "connect");
    socket.resetAndDestroy();
  }
  expect(await started.api.get("/info")).toBeDefined();
  await started.master.close();
  expect(started.log()).not.toMatch(/ERROR|WARN/);
});

it("makes room for a new connection by closing the one that waited longest", async () => {
  const started = await startMaster({ limits: { maxConnections: 20 } });
  const events = await started.api.events();
  const idle = Array.from({ length: 60 }, () => open(started));
  await Promise.all(idle.map((socket) => once(socket, "connect")));
  const { id } = await started.api.create("server://127.0.0.1:0/127.0.0.1:9");
  // The stream is a request that is being answered: it stays.
  await events.waitFor(({ type, instance }) => type === "create" && instance?.id === id);
  await vi.waitFor(() => expect(idle.filter(({ closed }) => closed).length).toBeGreaterThan(40));
});

it.each([
  ["send the rest of a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"],
  ["read its answer", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
])("makes room for who asks by closing who does not %s", async (_, content) => {
  // More than what is between the two holds of it.
  const answer = new Uint8Array(16 * 1024 * 1024);
  let asked = 0;
  const server = await openHttpServer({
    listen: { host: "127.0.0.1", port: 0 },
    limits: resolveServerLimits({ maxConnections: 5 }),
    fetch: async (request) => {
      asked += 1;
      await request.text();
      return new Response(request.url.endsWith("/small") ? "small" : answer);
    },
    onError: () => undefined,
  });
  onTestFinished(() => server.destroy());
  const { port } = server.address;
  const deaf = Array.from({ length: 5 }, () =>
    createConnection(port, "127.0.0.1").on("error", () => undefined),
  );
  for (const socket of deaf) socket.pause().write(content);
  await vi.waitFor(() => expect([asked, server.connections]).toEqual([5, 5]));
  const headers = { Connection: "close" };
  for (let n = 0; n < 6; n += 1) {
    const small = await fetch(`http://127.0.0.1:${port}/small`, { headers });
    expect(await small.text()).toBe("small");
  }
  for (const socket of deaf) socket.destroy();
});

it("answers pipelined requests in order", async () => {
  const started = await startMaster();
  const close = "Connection: close\r\n";
  const content = [
    request(started, "GET", "/instances/none"),
    request(started, "GET", "/openapi.json"),
    request(started, "GET", "/info", close),
  ].join("");
  const answer = await say(started, content);
  const statuses = Array.from(answer.matchAll(/HTTP\/1\.1 (\d+) /g), ([, status]) => status);
  expect(statuses).toEqual(["404", "200", "200"]);
});
