import { hostname } from "node:os";
import { reservePort } from "test-support";
import { describe, expect, it } from "vitest";
import type { InstanceAnswer } from "./support/api-client.ts";
import { startMaster } from "./support/start-master.ts";
import { fetchPage, fetchPageSoon, servePage, tunnelUrls } from "./support/tunnel-page.ts";

const page = "carried by a tunnel\n".repeat(1000);

describe.each(["/api", "/api/v1", "/deep/prefix", "/deep/prefix/v1"])("under %s", (path) => {
  const prefix = path.replace(/\/v1$/, "");
  const start = async () => {
    const started = await startMaster({
      url: `master://127.0.0.1:0${prefix}?log=debug`,
      environment: { reportIntervalMs: 200, poolGetTimeoutMs: 200 },
    });
    return { ...started, api: started.api.under(path) };
  };

  it("runs a tunnel that carries a page, from its creation to its end", async () => {
    const { api } = await start();
    const events = await api.events();
    const urls = await tunnelUrls(await servePage(page));

    const server = await api.create(urls.server, "entry");
    expect(server).toMatchObject({ type: "server", alias: "entry", url: urls.server, mode: 1 });
    const client = await api.create(urls.client);
    expect(client).toMatchObject({ type: "client", alias: "", restart: true, mode: 2 });
    expect(await fetchPageSoon(urls.entry)).toBe(page);
    await events.waitFor(({ type, instance }) => type === "create" && instance?.id === client.id);
    const counted = await events.waitFor(
      ({ type, instance }) =>
        type === "update" &&
        instance?.id === server.id &&
        Math.max(instance.tcprx, instance.tcptx) >= page.length,
    );
    expect(counted.instance).toMatchObject({ status: "running" });
    await events.waitFor(({ type, logs }) => type === "log" && logs.includes("INFO"));

    const stopped = await api.ask("PATCH", `/instances/${client.id}`, { action: "stop" });
    expect(stopped).toMatchObject({ status: 200, body: { status: "stopped" } });
    await expect(fetchPage(urls.entry)).rejects.toThrow();
    await api.ask("PATCH", `/instances/${client.id}`, { action: "start" });
    expect(await fetchPageSoon(urls.entry)).toBe(page);

    const moved = await reservePort();
    const url = urls.server.replace(`:${urls.entry}?`, `:${moved}?`);
    expect(await api.ask("PUT", `/instances/${server.id}`, { url })).toMatchObject({
      status: 200,
      body: { url, status: "running" },
    });
    expect(await fetchPageSoon(moved)).toBe(page);
    await expect(fetchPage(urls.entry)).rejects.toThrow();

    const reset = await api.ask("PATCH", `/instances/${server.id}`, { action: "reset" });
    expect(reset.body).toMatchObject({ tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 });

    for (const { id } of [client, server]) {
      expect((await api.ask("DELETE", `/instances/${id}`)).status).toBe(204);
      await events.waitFor(({ type, instance }) => type === "delete" && instance?.id === id);
    }
    await expect(fetchPage(moved)).rejects.toThrow();
    expect(await api.instances()).toEqual([]);
  });

  it("answers everything else", async () => {
    const { api, master } = await start();
    const keyEntry = (await api.get<InstanceAnswer[]>("/instances"))[0];
    expect(keyEntry).toMatchObject({ id: "********", type: "", url: master.apiKey });

    const info = await api.get<Record<string, unknown>>("/info");
    expect(info).toMatchObject({
      ver: "1.14.0",
      impl: expect.stringMatching(/ 1\.2\.3$/),
      os: process.platform,
      name: hostname(),
      mid: expect.stringMatching(/^[0-9a-f]{16}$/),
      log: "debug",
      tls: "0",
      crt: "",
      key: "",
      alias: "",
    });
    const numbers = Object.values(info).filter((value) => typeof value === "number");
    expect(numbers).toHaveLength(14);
    expect(numbers.every(Number.isInteger)).toBe(true);
    expect(await api.ask("POST", "/info", { alias: "gateway" })).toMatchObject({
      status: 200,
      body: { alias: "gateway" },
    });

    const target = `127.0.0.1:${await servePage(page)}`;
    expect(await api.get(`/tcping?target=${target}`)).toEqual({
      target,
      connected: true,
      latency: expect.any(Number),
      error: null,
    });
    const nobody = `127.0.0.1:${await reservePort()}`;
    expect(await api.get(`/tcping?target=${nobody}`)).toEqual({
      target: nobody,
      connected: false,
      latency: 0,
      error: "connection refused",
    });

    expect(await api.get("/metrics")).toContain("nodepass_instances");
    expect(await api.get("/openapi.json")).toMatchObject({ openapi: "3.1.1" });
    expect(await api.get("/docs")).toContain("<html");
    expect(await api.get("/docs/swagger-ui-bundle.js")).toContain("SwaggerUIBundle");

    expect((await api.ask("GET", "/nothing")).status).toBe(404);
    expect((await api.ask("DELETE", "/info")).headers.allow).toContain("GET");
    expect((await api.ask("POST", "/instances", { url: "x".repeat(2 ** 20) })).status).toBe(413);
    expect((await api.ask("POST", "/instances", { url: "server://:0" })).status).toBe(400);
    expect((await api.ask("DELETE", "/instances/********")).status).toBe(403);
  });

  it("makes a new key, and ends the streams that were opened with the old one", async () => {
    const { api, master } = await start();
    const events = await api.events();
    const old = master.apiKey;
    const { status, body } = await api.ask<InstanceAnswer>("PATCH", "/instances/********", {
      action: "restart",
    });
    expect(status).toBe(200);
    expect(body.url).toBe(master.apiKey);
    expect(body.url).not.toBe(old);
    expect(await events.ended).toBe(true);
    expect(events.events.at(-1)).toMatchObject({ type: "shutdown", instance: null });
    expect((await api.ask("GET", "/info")).status).toBe(200);
  });
});

it("counts wrong keys by the address of whoever asks", async () => {
  const { master } = await startMaster();
  const statuses = new Set<number>();
  for (let attempt = 0; attempt < 25; attempt++) {
    const headers = { "X-API-Key": "wrong" };
    const { status } = await fetch(`${master.url}/info`, { headers });
    statuses.add(status);
  }
  expect(statuses).toEqual(new Set([401, 429]));
  const headers = { "X-API-Key": master.apiKey };
  expect((await fetch(`${master.url}/info`, { headers })).status).toBe(200);
});

it("never logs its key", async () => {
  const { api, master, log } = await startMaster();
  const first = master.apiKey;
  await api.ask("PATCH", "/instances/********", { action: "restart" });
  await api.create("server://secret-of-tunnel@127.0.0.1:0/127.0.0.1:80");
  await master.close();
  expect(log()).toContain("master listening");
  for (const secret of [first, master.apiKey, "secret-of-tunnel"]) {
    expect(log()).not.toContain(secret);
  }
});
