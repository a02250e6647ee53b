import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { mountMaster } from "@nodepass/master-server";
import { parseMasterUrl } from "@nodepass/url-config";
import { Hono } from "hono";
import { afterEach, expect, test } from "vitest";

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

test("a master answers inside a program's own Hono app, beside its other routes", async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), "nodepass-mount-"));
  closers.push(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const settings = parseMasterUrl("master://127.0.0.1:0/nodepass");
  const master = await mountMaster({ settings, stateDirectory, workers: 0 });
  closers.push(() => master.close({ timeoutMs: 0 }));
  const app = new Hono().get("/own", (context) => context.text("mine"));
  app.route("/", master.app);

  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
  await once(server, "listening");
  closers.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  expect(await (await fetch(`${url}/own`)).text()).toBe("mine");
  expect((await fetch(`${url}/nodepass/instances`)).status).toBe(401);
  expect(master.freshKey).toBe(true);
  const headers = { "X-API-Key": master.apiKey };
  const body = JSON.stringify({ url: "client://127.31.7.3:4201/127.31.7.3:4202?mode=1" });
  const created = await fetch(`${url}/nodepass/instances`, { method: "POST", headers, body });
  expect(created.status).toBe(201);
  const list = await fetch(`${url}/nodepass/instances`, { headers });
  expect(await list.json()).toHaveLength(2);

  // Wrong keys are counted by who asks, so the address has to come through.
  const wrong = { headers: { "X-API-Key": "wrong" } };
  const asked = Array.from({ length: 40 }, () => fetch(`${url}/nodepass/instances`, wrong));
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses).toContain(429);

  await master.close({ timeoutMs: 2000 });
  // Its state is free for the next one, which has the same key.
  const next = await mountMaster({ settings, stateDirectory, workers: 0 });
  closers.push(() => next.close({ timeoutMs: 0 }));
  expect([next.freshKey, next.apiKey]).toEqual([false, master.apiKey]);
});
