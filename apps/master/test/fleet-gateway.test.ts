import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FleetAgent, fleetExtension } from "@nodepass/fleet-agent";
import { createFleet, type RunningFleetHub, runFleetHub } from "@nodepass/fleet-hub";
import { serverConfig } from "@nodepass/fleet-protocol";
import { type RunningMaster, runMaster } from "@nodepass/master-server";
import { parseMasterUrl } from "@nodepass/url-config";
import { findNatsServer, type NatsServer, startNatsServer } from "test-support/nats";
import { expectSameAnswers } from "test-support/parity";
import { rawRequest } from "test-support/raw-request";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

/** Addresses of this file alone. */
const HUB = { host: "127.83.19.7", port: 9460 };
const OWN = { host: "127.83.19.7", port: 9461 };
const DIRECT = { host: "127.83.19.8", port: 9462 };
const SUFFIX = "gw.example";
const MID = "00000000000000a1";

const here = findNatsServer() === undefined ? describe.skip : describe;

here("a hub that is served, with a real engine and a real master that has joined it", () => {
  let engine: NatsServer;
  let hub: RunningFleetHub;
  let master: RunningMaster;
  let agent: FleetAgent | undefined;
  let mid = "";
  let key = "";
  const folder = mkdtempSync(join(tmpdir(), "np-whole-"));
  const api = `http://${HUB.host}:${HUB.port}/api`;
  const direct = `http://${DIRECT.host}:${DIRECT.port}`;

  const asked = async (path: string, init: RequestInit = {}, token = key) => {
    const headers = { Authorization: `Bearer ${token}`, ...init.headers };
    const response = await fetch(`${api}${path}`, { ...init, headers });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const post = (path: string, body: unknown, token = key) =>
    asked(path, { method: "POST", body: JSON.stringify(body) }, token);

  beforeAll(async () => {
    const fleet = await createFleet({
      fleet: "test",
      servers: ["nats://127.0.0.1:1"],
      hubs: [api],
      gateway: SUFFIX,
    });
    engine = await startNatsServer(({ name, listen, dir }) =>
      serverConfig(fleet.hub.secrets, { name, listen, storeDir: dir }),
    );
    const servers = [`nats://${engine.url}`];
    key = fleet.adminToken;
    hub = await runFleetHub({
      secrets: { ...fleet.hub, servers, memberServers: servers },
      version: "1.2.3",
      listen: HUB,
      masters: { [MID]: OWN },
    });
    const made = await post("/fleet/tokens", { kind: "join", labels: { region: "eu" }, uses: 1 });
    expect(made.status).toBe(201);
    master = await runMaster({
      settings: parseMasterUrl(`master://${DIRECT.host}:${DIRECT.port}`),
      stateDirectory: folder,
      workers: 0,
      version: "1.2.3",
      extension: fleetExtension({
        token: made.body.token,
        onOpen: (opened) => {
          agent = opened;
        },
      }),
    });
    await vi.waitFor(
      async () => {
        const { body } = await asked("/fleet/masters?status=online");
        expect(body).toMatchObject([{ labels: { region: "eu" } }]);
        mid = body[0].mid;
      },
      { timeout: 20_000 },
    );
    expect(agent).toBeDefined();
  });
  afterAll(async () => {
    await master?.close({ timeoutMs: 1000 });
    await hub?.close();
    await engine?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("tells what it is", async () => {
    expect(hub.url).toBe(api);
    expect(hub.masters.get(MID)).toEqual(OWN);
    const { body } = await asked("/fleet");
    expect(body).toMatchObject({ fleet: "test", masters: 1, role: "admin", gateway: SUFFIX });
    expect(await (await fetch(`${api}/readyz`)).text()).toBe("engine ok\n");
    const metrics = await fetch(`${api}/fleet/metrics`, { headers: { "X-API-Key": key } });
    const text = await metrics.text();
    expect(text).toContain(`nodepass_fleet_master_up{mid="${mid}"`);
    expect(text).toMatch(/^nodepass_hub_syncs_total [1-9]/m);
  });

  it("answers for the master as it does itself, byte for byte but for dates", async () => {
    const host = { Host: `${mid}.${SUFFIX}` };
    await expectSameAnswers(
      direct,
      {
        path: { base: `${api}/masters/${mid}`, headers: {}, boxed: true },
        host: { base: `http://${HUB.host}:${HUB.port}`, headers: host, boxed: false },
      },
      master.apiKey,
    );
  });

  it("lets dashboards work with a fleet's token: instances, events, changes", async () => {
    const made = await post("/fleet/tokens", { kind: "api", role: "operator" });
    const token: string = made.body.token;
    const at = `/masters/${mid}/api`;
    const line = `GET /api${at}/events HTTP/1.1\r\nHost: x\r\nX-API-Key: ${token}\r\n\r\n`;
    const events = rawRequest(HUB.port, line, HUB.host);
    await vi.waitFor(() => expect(events.text()).toContain('"id":"********"'));
    const url = "client://s3cret@127.0.0.1:0/127.0.0.1:9?mode=1";
    const created = await post(`${at}/instances`, { url }, token);
    expect(created).toMatchObject({ status: 201, body: { url: url.replace("s3cret", "***") } });
    const { id } = created.body;
    await vi.waitFor(() => expect(events.text()).toMatch(new RegExp(`"type":"create".*${id}`)));
    const list = await asked(`${at}/instances`, {}, token);
    expect(list.body).toMatchObject([{ id: "********", url: "" }, { id }]);
    const masked = url.replace("s3cret", "***").replace(":9?", ":10?");
    const put = { method: "PUT", body: JSON.stringify({ url: masked }) };
    expect(await asked(`${at}/instances/${id}`, put, token)).toMatchObject({ status: 200 });
    const own = await fetch(`${direct}/api/instances/${id}`, {
      headers: { "X-API-Key": master.apiKey },
    });
    expect(await own.json()).toMatchObject({ url: url.replace(":9?", ":10?") });
    expect((await asked("/fleet/instances")).body).toMatchObject({
      instances: [{ id, mid, sid: null }],
      missing: [],
    });
    expect(events.text()).not.toContain("s3cret");

    const adopted = await post(`/fleet/masters/${mid}/adopt`, { instance: id });
    expect(adopted).toMatchObject({ status: 201 });
    const { sid } = adopted.body;
    const stop = { method: "PATCH", body: JSON.stringify({ action: "stop" }) };
    const stopped = await asked(`${at}/instances/${id}`, stop, token);
    expect(stopped).toMatchObject({ status: 200, body: { id, status: "stopped" } });
    const service = await asked(`/fleet/services/${sid}`);
    expect(service.body).toMatchObject({ parts: [{ running: false, owner: mid }] });
    const refused = await fetch(`${direct}/api/instances/${id}`, {
      method: "DELETE",
      headers: { "X-API-Key": master.apiKey },
    });
    expect(refused.status).toBe(409);
    const gone = await asked(`${at}/instances/${id}`, { method: "DELETE" }, token);
    expect(gone.status).toBe(204);
    expect((await asked(`/fleet/services/${sid}`)).status).toBe(404);
    await vi.waitFor(() => expect(events.text()).toMatch(new RegExp(`"type":"delete".*${id}`)));
    events.destroy();

    const { body: audit } = await asked("/fleet/audit");
    const passed = audit.filter(({ action }: { action: string }) => action === "api");
    expect(JSON.stringify(passed)).toContain("POST /api/instances");
    expect(JSON.stringify(audit)).not.toContain("s3cret");
  });

  it("answers 503 while the engine is away, ends streams that it has lost, and comes back", async () => {
    const line = `GET /api/masters/${mid}/api/events HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\n\r\n`;
    const events = rawRequest(HUB.port, line, HUB.host);
    await vi.waitFor(() => expect(events.text()).toContain('"id":"********"'));
    await engine.kill();
    const info = () => fetch(`${api}/masters/${mid}/api/info`, { headers: { "X-API-Key": key } });
    const away = await info();
    expect(away.status).toBe(503);
    expect(away.headers.get("retry-after")).toBe("5");
    const write = await post(`/masters/${mid}/api/info`, { alias: "x" });
    expect(write.status).toBe(503);
    // It is the master's own all the same.
    const direct_ = await fetch(`${direct}/api/info`, { headers: { "X-API-Key": master.apiKey } });
    expect(direct_.status).toBe(200);
    await engine.restart();
    await vi.waitFor(async () => expect((await info()).status).toBe(200), { timeout: 40_000 });
    // What was lost on the way is not to be had again: the stream is broken off, not ended.
    const { text } = await events.over;
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  it("answers 503 while the master is away, and breaks its streams off", async () => {
    const line = `GET /api/masters/${mid}/api/events HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\n\r\n`;
    const events = rawRequest(HUB.port, line, HUB.host);
    await vi.waitFor(() => expect(events.text()).toContain('"id":"********"'));
    await master.close({ timeoutMs: 1000 });
    expect((await events.over).text).toContain('"type":"shutdown"');
    const response = await fetch(`${api}/masters/${mid}/api/info`, {
      headers: { "X-API-Key": key },
    });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
  });
});
