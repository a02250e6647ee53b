import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { openCertificate } from "@nodepass/master-server";
import { SILENT_LOGGER } from "@nodepass/model";
import { findNatsServer } from "test-support/nats";
import { rawRequest } from "test-support/raw-request";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type RunFleetHubOptions, runFleetHub } from "../src/index.ts";
import { TestFleet } from "./support/test-fleet.ts";

const HOST = "127.83.19.9";
const MID = "00000000000000a1";
const here = findNatsServer() === undefined ? describe.skip : describe;

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "np-serve-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

here("a hub that is served", () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await TestFleet.start();
  });
  afterAll(() => fleet.close());

  const run = async (options: Partial<RunFleetHubOptions> = {}) => {
    const listen = { host: HOST, port: 0 };
    const hub = await runFleetHub({
      ...{ secrets: fleet.created.hub, version: "1.2.3", listen },
      ...options,
    });
    onTestFinished(() => hub.close());
    return hub;
  };

  it("speaks TLS 1.3 with the certificate of its files, at all of its ports", async () => {
    const folder = temporaryFolder();
    const made = await openCertificate(
      { tls: 1, crt: undefined, keyFile: undefined },
      folder,
      SILENT_LOGGER,
    );
    await made?.keep();
    const tls = { crt: join(folder, "master.crt"), keyFile: join(folder, "master.key") };
    const hub = await run({ tls, masters: { [MID]: { host: HOST, port: 0 } } });
    expect(hub.url).toMatch(/^https:\/\//);
    expect(hub.certificateFingerprint).toMatch(/^sha256:(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const own = hub.masters.get(MID);
    const ask = (port: number | undefined, path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = { host: HOST, port, path, rejectUnauthorized: false };
        const sent = request(options, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.on("error", reject);
        sent.end();
      });
    expect(await ask(hub.address.port, "/api/healthz")).toBe(200);
    // A master that has not joined.
    expect(await ask(own?.port, "/api/healthz")).toBe(404);
    const old = { host: HOST, port: hub.address.port, maxVersion: "TLSv1.2" as const };
    const refused = new Promise((resolve) => {
      connect({ ...old, rejectUnauthorized: false }).on("error", resolve);
    });
    expect(await refused).toBeInstanceOf(Error);
  });

  it("serves a dashboard, at the root and below its prefix", async () => {
    const dashboard = temporaryFolder();
    writeFileSync(join(dashboard, "index.html"), "<html>__NODEPASS_API__</html>");
    const hub = await run({ dashboard, prefix: "/nodepass" });
    const root = new URL("/", hub.url);
    expect(await (await fetch(root)).text()).toBe("<html>nodepass</html>");
    expect(await (await fetch(`${hub.url}/ui/`)).text()).toBe("<html>..</html>");
    const headers = { "X-API-Key": fleet.created.adminToken };
    expect(await (await fetch(`${hub.url}/v1/fleet`, { headers })).json()).toMatchObject({
      fleet: "test",
    });
  });

  it("tells readers that it ends, and leaves its address free", async () => {
    const hub = await run();
    const { port } = hub.address;
    const key = `X-API-Key: ${fleet.created.adminToken}\r\n`;
    const line = `GET /api/fleet/events HTTP/1.1\r\nHost: x\r\n${key}\r\n`;
    const reader = rawRequest(port, line, HOST);
    await vi.waitFor(() => expect(reader.text()).toContain("retry: 3000"));
    await hub.close();
    expect((await reader.over).text).toContain('"type":"shutdown"');
    const next = await run({ listen: { host: HOST, port } });
    expect((await fetch(`${next.url}/readyz`)).status).toBe(200);
    await expect(run({ listen: { host: HOST, port } })).rejects.toMatchObject({
      code: "ADDRESS_IN_USE",
    });
    next.destroy();
    await vi.waitFor(async () => {
      await expect(fetch(`${next.url}/readyz`)).rejects.toThrow();
    });
  });

  it("refuses what can't be meant", async () => {
    await expect(run({ masters: { alpha: { host: HOST, port: 0 } } })).rejects.toMatchObject({
      code: "INVALID_OPTIONS",
      message: expect.stringContaining('"alpha" is no mid'),
    });
    await expect(run({ maxStreams: 0 })).rejects.toMatchObject({
      code: "INVALID_OPTIONS",
      message: "maxStreams is 0, must be an integer from 1 to 65536",
    });
    await expect(run({ prefix: "/a:b" })).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
    const tls = { crt: "/nowhere/a.crt", keyFile: "/nowhere/a.key" };
    await expect(run({ tls })).rejects.toMatchObject({ code: "CERTIFICATE_INVALID" });
  });
});
