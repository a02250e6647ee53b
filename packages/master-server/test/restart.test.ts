import { expect, it, vi } from "vitest";
import type { InstanceAnswer } from "./support/api-client.ts";
import { startMaster } from "./support/start-master.ts";
import { fetchPageSoon, servePage, tunnelUrls } from "./support/tunnel-page.ts";

const page = "still here\n".repeat(500);
const environment = { reportIntervalMs: 200 };

it("keeps everything over a restart of the master", async () => {
  const before = await startMaster({ environment });
  const urls = await tunnelUrls(await servePage(page));
  const server = await before.api.create(urls.server, "entry");
  const client = await before.api.create(urls.client);
  const idle = await before.api.create("client://127.0.0.1:0/127.0.0.1:9", "idle");
  const tags = { place: "here" };
  const peer = { sid: "1", type: "2", alias: "other" };
  await before.api.ask("PATCH", `/instances/${server.id}`, { meta: { tags, peer } });
  await before.api.ask("PATCH", `/instances/${idle.id}`, { restart: false });
  await before.api.ask("POST", "/info", { alias: "gateway" });
  await before.api.ask("PATCH", "/instances/********", { action: "restart" });
  expect(await fetchPageSoon(urls.entry)).toBe(page);
  const key = before.master.apiKey;
  const { mid } = await before.api.get<{ mid: string }>("/info");
  // At once: what went through a moment ago must be counted too.
  await before.master.close();

  const after = await startMaster({ environment, stateDirectory: before.stateDirectory });
  expect(after.master.apiKey).toBe(key);
  expect([before.master.freshKey, after.master.freshKey]).toEqual([true, false]);
  expect(await after.api.get("/info")).toMatchObject({ mid, alias: "gateway" });
  const instances = await after.api.instances();
  expect(instances.map(({ id }) => id)).toEqual([server.id, client.id, idle.id]);
  const [again, , idleAgain] = instances;
  expect(again).toMatchObject({ alias: "entry", url: urls.server, meta: { tags, peer } });
  expect(Math.max(again?.tcprx ?? 0, again?.tcptx ?? 0)).toBeGreaterThanOrEqual(page.length);
  expect(idleAgain).toMatchObject({ alias: "idle", restart: false, status: "stopped" });

  await after.master.started;
  expect(await fetchPageSoon(urls.entry)).toBe(page);
  const { tcprx = 0, tcptx = 0 } = again ?? {};
  await vi.waitFor(
    async () => {
      const now = await after.api.get<InstanceAnswer>(`/instances/${server.id}`);
      expect(now.tcprx + now.tcptx).toBeGreaterThanOrEqual(tcprx + tcptx + page.length);
    },
    { timeout: 10_000 },
  );
});

it("answers while a hundred instances start", async () => {
  const before = await startMaster();
  const urls = Array.from(
    { length: 100 },
    (_, index) => `server://127.0.0.1:0/127.0.0.1:${index + 1}`,
  );
  await Promise.all(urls.map((url) => before.api.create(url)));
  await before.master.close();
  const after = await startMaster({ stateDirectory: before.stateDirectory });
  expect(await after.api.instances()).toHaveLength(100);
  await vi.waitFor(
    async () => {
      const statuses = (await after.api.instances()).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set(["running"]));
    },
    { timeout: 50_000, interval: 200 },
  );
});
