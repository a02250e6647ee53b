import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MasterExtension, mountMaster, type RunMasterOptions } from "@nodepass/master-server";
import { parseMasterUrl } from "@nodepass/url-config";
import { afterEach, beforeEach, expect, test } from "vitest";

const closers: (() => unknown)[] = [];
let stateDirectory: string;

beforeEach(() => {
  stateDirectory = mkdtempSync(join(tmpdir(), "nodepass-extension-"));
  closers.push(() => rmSync(stateDirectory, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function mount(extension: MasterExtension | undefined) {
  const settings = parseMasterUrl("master://127.0.0.1:0/nodepass");
  const options: RunMasterOptions = { settings, stateDirectory, workers: 0, version: "9.8.7" };
  const master = await mountMaster({ ...options, extension });
  closers.push(() => master.close({ timeoutMs: 0 }));
  return master;
}

test("an extension is there before the first instance starts, and ends before they do", async () => {
  const first = await mount(undefined);
  const headers = { "X-API-Key": first.apiKey };
  const body = JSON.stringify({ url: "client://127.31.7.9:4201/127.31.7.9:4202?mode=1" });
  await first.app.request("/nodepass/instances", { method: "POST", headers, body });
  await first.close({ timeoutMs: 0 });

  const seen: string[] = [];
  const master = await mount(async (parts) => {
    const [instance] = await parts.instances.list();
    seen.push(`opened: ${instance?.status} ${parts.prefix} ${parts.version}`);
    return {
      close: async () => {
        const [still] = await parts.instances.list();
        seen.push(`closed: ${still?.status}`);
      },
      destroy: () => undefined,
    };
  });
  await master.started;
  expect(seen).toEqual(["opened: stopped /nodepass 9.8.7"]);
  await master.close({ timeoutMs: 1000 });
  expect(seen[1]).toBe("closed: running");
});

test("it asks the API by a role, or with the key like anybody else", async () => {
  let parts: Parameters<MasterExtension>[0] | undefined;
  const master = await mount(async (given) => {
    parts = given;
    return { close: async () => undefined, destroy: () => undefined };
  });
  const get = (headers: Record<string, string> = {}) =>
    new Request("http://master.example/nodepass/info", { headers });
  expect((await parts?.ask(get()))?.status).toBe(401);
  expect((await parts?.ask(get({ "X-API-Key": master.apiKey })))?.status).toBe(200);
  const info = await parts?.ask(get(), { role: "viewer", remoteAddress: "192.0.2.9" });
  expect([info?.status, await info?.json()]).toMatchObject([200, { ver: expect.any(String) }]);
});

test("a master does not start without it, and leaves its state to the next one", async () => {
  await expect(mount(() => Promise.reject(new Error("the hub has refused")))).rejects.toThrow(
    "the hub has refused",
  );
  await mount(undefined);
});
