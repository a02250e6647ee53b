import { once } from "node:events";
import { connect } from "node:net";
import { type MetricsServer, serveMetrics } from "@nodepass/metrics";
import { afterEach, expect, test } from "vitest";

const HOST = "127.31.9.1";
const open: MetricsServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(
  page = () => "up 1\n",
): Promise<{ url: string; port: number; errors: unknown[] }> {
  const errors: unknown[] = [];
  const server = await serveMetrics({
    host: HOST,
    port: 0,
    page,
    onError: (error) => errors.push(error),
  });
  open.push(server);
  const { host, port } = server.address;
  expect(host).toBe(HOST);
  return { url: `http://${host}:${port}`, port, errors };
}

test("answers GET and HEAD of /metrics with the page as it is then", async () => {
  let scrapes = 0;
  const { url } = await start(() => `scrapes ${++scrapes}\n`);
  const first = await fetch(`${url}/metrics`);
  expect([first.status, await first.text()]).toEqual([200, "scrapes 1\n"]);
  expect(first.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(first.headers.get("cache-control")).toBe("no-store");
  expect(await (await fetch(`${url}/metrics?x=1`)).text()).toBe("scrapes 2\n");
  const head = await fetch(`${url}/metrics`, { method: "HEAD" });
  expect([head.status, await head.text(), head.headers.get("content-length")]).toEqual([
    200,
    "",
    "10",
  ]);
});

test("everything else is refused, bodies too", async () => {
  const { url } = await start();
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics/../secret`)).status).toBe(404);
  const post = await fetch(`${url}/metrics`, { method: "POST", body: "x".repeat(100_000) });
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("a page that throws is a 500 that tells nothing, and is reported", async () => {
  const { url, errors } = await start(() => {
    throw new Error("a secret of the program");
  });
  const answer = await fetch(`${url}/metrics`);
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain("secret");
  expect(errors).toHaveLength(1);
});

test("garbage and headers without end are cut off; the next scrape is answered", async () => {
  const { url, port, errors } = await start();
  for (const bytes of [
    "\0\x01\x02 nonsense\r\n\r\n",
    `GET /metrics HTTP/1.1\r\na: ${"x".repeat(20_000)}`,
  ]) {
    const stranger = connect(port, HOST).on("error", () => {});
    stranger.resume().write(bytes);
    while (!stranger.closed) await once(stranger, "close").catch(() => {});
  }
  expect((await fetch(`${url}/metrics`)).status).toBe(200);
  expect(errors).toEqual([]);
});

test("strangers who keep connections open are bounded, and closing cuts them", async () => {
  const { port } = await start();
  const strangers = Array.from({ length: 40 }, () => connect(port, HOST).on("error", () => {}));
  for (const stranger of strangers) stranger.resume();
  const closed = () => strangers.filter((stranger) => stranger.closed).length;
  await expect.poll(closed, { timeout: 20_000 }).toBe(40 - 16);
  await open.pop()?.close();
  await expect.poll(closed, { timeout: 20_000 }).toBe(40);
});

test("an address that is taken is the system's error", async () => {
  const { port } = await start();
  const again = serveMetrics({ host: HOST, port, page: () => "", onError: () => {} });
  await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
});
