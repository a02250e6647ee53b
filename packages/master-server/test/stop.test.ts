import { once } from "node:events";
import { createConnection } from "node:net";
import { expect, it, vi } from "vitest";
import { startMaster } from "./support/start-master.ts";
import { fetchPage, fetchPageSoon, servePage, tunnelUrls } from "./support/tunnel-page.ts";

it("tells event streams, closes instances and lets go of everything", async () => {
  const { master, api, log } = await startMaster();
  const urls = await tunnelUrls(await servePage("page"));
  await api.create(urls.server);
  await api.create(urls.client);
  expect(await fetchPageSoon(urls.entry)).toBe("page");
  const streams = await Promise.all([api.events(), api.events()]);
  const closing = master.close();
  expect(master.close()).toBe(closing);
  await closing;
  for (const stream of streams) {
    expect(await stream.ended).toBe(true);
    expect(stream.events.at(-1)).toMatchObject({ type: "shutdown", instance: null, logs: "" });
  }
  await expect(fetchPage(urls.entry)).rejects.toThrow("ECONNREFUSED");
  await expect(fetchPage(master.address.port)).rejects.toThrow("ECONNREFUSED");
  expect(log()).not.toContain("ERROR");
});

it("leaves no socket, thread or timer behind", async () => {
  const open = () =>
    process
      .getActiveResourcesInfo()
      .filter((name) => /TCP|UDP|TLS|Worker|MessagePort|FSReq/.test(name));
  // Pages of the test before may still be closing.
  await vi.waitFor(() => expect(open()).toEqual([]));
  const { master, api } = await startMaster({ url: "master://127.0.0.1:0?tls=1" });
  await api.create("server://127.0.0.1:0/127.0.0.1:9?tls=1");
  await api.events();
  expect(open()).not.toEqual([]);
  await master.close();
  await vi.waitFor(() => expect(open()).toEqual([]));
});

it("lets a request that is being answered finish", async () => {
  const { master, api } = await startMaster();
  const { id } = await api.create("server://127.0.0.1:0/127.0.0.1:9");
  const restarting = api.ask("PATCH", `/instances/${id}`, { action: "restart" });
  const events = await api.events();
  await events.waitFor(({ instance }) => instance?.status === "stopped" && instance.id === id);
  await master.close();
  expect([200, 503]).toContain((await restarting).status);
});

it("does not wait for connections that their clients would keep", async () => {
  const { master } = await startMaster();
  const headers = { "X-API-Key": master.apiKey };
  const stream = await fetch(`${master.url}/events`, { headers });
  await (await fetch(`${master.url}/info`, { headers })).text();
  // Longer than the test's own time.
  await Promise.all([master.close({ timeoutMs: 3_600_000 }), stream.text()]);
});

it("does not wait for idle, half-asked or unread connections", async () => {
  const { master, api } = await startMaster();
  const open = (text: string) => {
    const socket = createConnection(master.address.port, "127.0.0.1").on("error", () => undefined);
    socket.write(text);
    return socket;
  };
  const key = `X-API-Key: ${master.apiKey}`;
  const sockets = [
    open(""),
    open("GET /api/info HT"),
    open(`POST /api/instances HTTP/1.1\r\nHost: x\r\n${key}\r\nContent-Length: 100\r\n\r\n{`),
    open(`GET /api/events HTTP/1.1\r\nHost: x\r\n${key}\r\n\r\n`),
  ];
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  await api.get("/info");
  // Far less than the test's own time: a close that waited for them would never end.
  await master.close({ timeoutMs: 500 });
  for (const socket of sockets) socket.resume();
  await vi.waitFor(() => expect(sockets.every(({ closed }) => closed)).toBe(true));
});

it("stops at once when it is given no time, and loses nothing that was answered", async () => {
  const { master, api, stateDirectory } = await startMaster();
  const { id } = await api.create("server://127.0.0.1:0/127.0.0.1:9");
  const events = await api.events();
  await master.close({ timeoutMs: 0 });
  await events.ended;
  const again = await startMaster({ stateDirectory });
  expect((await again.api.instances()).map((each) => each.id)).toEqual([id]);
});

it("is cut by destroy, and loses nothing that was answered", async () => {
  const { master, api, stateDirectory } = await startMaster();
  const { id } = await api.create("server://127.0.0.1:0/127.0.0.1:9");
  const events = await api.events();
  master.destroy();
  master.destroy();
  await events.ended;
  const again = await startMaster({ stateDirectory });
  expect((await again.api.instances()).map((each) => each.id)).toEqual([id]);
});

it("is closed by the end of its block", async () => {
  const { master } = await startMaster();
  {
    await using closed = master;
    expect(closed.address.port).toBeGreaterThan(0);
  }
  await expect(fetchPage(master.address.port)).rejects.toThrow("ECONNREFUSED");
});
