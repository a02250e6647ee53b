import { type AddressInfo, createServer } from "node:net";
import { jetstreamManager } from "@nats-io/jetstream";
import {
  CLAIMS_UPDATE_SUBJECT,
  issueSystemCredentials,
  retireSigners,
  rotateSigner,
  storeNames,
} from "@nodepass/fleet-protocol";
import { type Logger, ServiceError, SILENT_LOGGER } from "@nodepass/model";
import type { FleetEvent } from "@nodepass/model/fleet";
import { findNatsServer } from "test-support/nats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { engineControl } from "../src/engine/engine-control.ts";
import { connectEngine } from "../src/engine/engine-link.ts";
import { openFleetHub } from "../src/index.ts";
import { openTestStore } from "./support/open-test-store.ts";
import { TestFleet } from "./support/test-fleet.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const LONG = { timeout: 60_000, interval: 100 };

async function started(...options: Parameters<typeof TestFleet.start>): Promise<TestFleet> {
  const fleet = await TestFleet.start(...options);
  onTestFinished(() => fleet.close());
  return fleet;
}

async function refusal(work: Promise<unknown>): Promise<ServiceError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ServiceError) return error;
  throw new Error(`no ServiceError: ${String(error)}`);
}

const ON_ONE = {
  alias: "",
  tags: {},
  policy: { failover: "off", ttl: 15, failback: "never" },
} as const;

here("a hub and its engine", () => {
  test("refuses, by its name, a server that writes to its disk later", async () => {
    const fleet = await started(1, "test", (config) => {
      const lazy = config.replace(/sync_interval:\s*"?always"?/, 'sync_interval: "2m"');
      expect(lazy).not.toBe(config);
      return lazy;
    });
    const error = await refusal(fleet.hub());
    expect(error.code).toBe("UNAVAILABLE");
    expect(error.message).toContain("nats-server n1 writes to the disk every 120 s");
    expect(error.message).toContain("sync_interval: always");
  });

  test("writes nothing to a server that took the other's place and writes to its disk later", async () => {
    let isLazy = false;
    const fleet = await started(1, "test", (config) =>
      isLazy ? config.replace(/sync_interval:\s*"?always"?/, 'sync_interval: "2m"') : config,
    );
    const hub = await fleet.hub();
    const admin = fleet.admin(hub);
    const member = await fleet.member(hub);
    const { mid } = member.identity;
    const [server] = fleet.servers;
    const back = async () => {
      const synced = member.nextSync();
      await server?.restart();
      await synced;
      await vi.waitFor(() => expect(hub.leadership.isLeading()).toBe(true), LONG);
    };
    const change = (name: string) => hub.fleet.changeMaster(admin, mid, { name });
    isLazy = true;
    await back();
    await vi.waitFor(() => {
      const [alarm] = hub.fleet.info(admin).alarms;
      expect(alarm?.message).toContain("nats-server n1 writes to the disk every 120 s");
    }, LONG);
    const refused = await refusal(change("lazy"));
    expect(refused.code).toBe("UNAVAILABLE");
    expect(refused.message).toContain("nothing is stored now: the engine is refused: nats-server");
    expect(hub.fleet.master(admin, mid).name).not.toBe("lazy");
    isLazy = false;
    await back();
    await vi.waitFor(async () => expect((await change("good")).name).toBe("good"), LONG);
  }, 120_000);

  test("has no former signing key any more when a hub knows that it was retired", async () => {
    const fleet = await started();
    const { secrets } = fleet.created.hub;
    const hub = await fleet.hub();
    const member = await fleet.member(hub);
    const rotated = await rotateSigner(secrets, secrets.reveal().account.jwt, "members");
    const retired = await retireSigners(rotated.secrets, rotated.accountJwt, "members");
    const system = await connectEngine({
      servers: fleet.created.hub.servers,
      ca: "",
      credentials: await issueSystemCredentials(secrets, "system"),
      name: "system",
      logger: SILENT_LOGGER,
    });
    onTestFinished(() => system.close());
    await system.connection.request(CLAIMS_UPDATE_SUBJECT, rotated.accountJwt);
    expect(member.connection?.isClosed()).toBe(false);
    await hub.close();
    const next = await fleet.hub({ secrets: { ...fleet.created.hub, secrets: retired.secrets } });
    const other = await fleet.member(next);
    await member.connection?.closed();
    expect(other.connection?.isClosed()).toBe(false);
  }, 120_000);

  test("tells what each server carries, and since when each client has sent what", async () => {
    const fleet = await started();
    const hub = await fleet.hub();
    const { mid } = (await fleet.member(hub)).identity;
    const key = hub.index.members.get(mid)?.value.nkey;
    const { secrets, servers } = fleet.created.hub;
    const credentials = await issueSystemCredentials(secrets, "system");
    const options = { servers, ca: "", credentials, name: "system", logger: SILENT_LOGGER };
    const system = await connectEngine(options);
    onTestFinished(() => system.close());
    const control = engineControl(system, secrets, SILENT_LOGGER);
    const { connections, servers: loads } = await control.load();
    const [id = ""] = loads.keys();
    expect([connections >= 3, loads.size]).toEqual([true, 1]);
    const clients = (await control.clients()).filter(({ nkey }) => nkey === key);
    expect(clients).toHaveLength(1);
    const [client] = clients;
    expect(client?.id.startsWith(`${id}/`)).toBe(true);
    expect(client?.messages).toBeGreaterThan(0);
    const ageMs = (client?.at ?? 0) - (client?.since ?? 0);
    expect(ageMs > 0 && ageMs < 60_000, `${ageMs} ms`).toBe(true);
  }, 60_000);

  test("refuses, by its name, a server that is too old", async () => {
    // Debian's does not even read a fleet's configuration, so this one only says how old it is.
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      const info = {
        server_id: "N",
        server_name: "old",
        version: "2.9.10",
        proto: 1,
        max_payload: 1_048_576,
        headers: true,
        nonce: "abcdefghijk",
      };
      socket.write(`INFO ${JSON.stringify(info)}\r\n`);
      socket.on("data", (bytes) => {
        if (bytes.includes("PING")) socket.write("PONG\r\n");
      });
    });
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const fleet = await started();
    const secrets = { ...fleet.created.hub, servers: [`nats://127.0.0.1:${port}`] };
    const error = await refusal(openFleetHub({ secrets, version: "test" }));
    expect(error.message).toContain("nats-server old is 2.9.10; a fleet needs 2.12.0 or newer");
  });

  test("is left by a hub that stops without a warning that it is gone", async () => {
    const fleet = await started();
    const warned: string[] = [];
    const logger: Logger = { ...SILENT_LOGGER, warn: (_, text) => warned.push(text) };
    await (await fleet.hub({ logger })).close();
    expect(warned).toEqual([]);
  });

  test("says that the engine can't be reached, within the time that it was given", async () => {
    const fleet = await started();
    const [server] = fleet.servers;
    await server?.kill();
    const error = await refusal(fleet.hub({ connectTimeoutMs: 1500 }));
    expect(error.code).toBe("UNAVAILABLE");
    expect(error.message).toContain(server?.url);
  });

  test("while it is killed members keep what they have, changes are refused, then all goes on", async () => {
    const fleet = await started();
    const hub = await fleet.hub();
    const admin = fleet.admin(hub);
    const member = await fleet.member(hub);
    const { mid } = member.identity;
    const events: FleetEvent[] = [];
    hub.fleet.subscribe(admin, { instances: false }, (event) => events.push(event));
    const part = { url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid, running: true };
    const { sid } = await hub.fleet.createService(admin, { ...ON_ONE, parts: [part] });
    const [server] = fleet.servers;
    await server?.kill();
    await vi.waitFor(() => expect(hub.fleet.info(admin).engine.connected).toBe(false), LONG);
    const change = () => hub.fleet.changeService(admin, sid, { alias: "b" }, undefined);
    const began = performance.now();
    expect((await refusal(change())).code).toBe("UNAVAILABLE");
    expect((await refusal(hub.messenger.apply(mid, { orders: [] }))).code).toBe("UNAVAILABLE");
    const create = hub.fleet.createService(admin, { ...ON_ONE, parts: [part] });
    expect((await refusal(create)).code).toBe("UNAVAILABLE");
    // At once: nobody waits for what can't come.
    expect(performance.now() - began).toBeLessThan(5000);
    // What is known is still shown.
    expect(hub.fleet.service(admin, sid).alias).toBe("");
    expect(hub.fleet.info(admin).alarms).toMatchObject([{ alarm: "engine" }]);
    expect(member.parts.size).toBe(1);
    await vi.waitFor(() => expect(hub.leadership.isLeading()).toBe(false), LONG);
    const synced = member.nextSync();
    await server?.restart();
    await synced;
    await vi.waitFor(async () => expect((await change()).alias).toBe("b"), LONG);
    await vi.waitFor(() => expect(hub.fleet.info(admin).alarms).toEqual([]), LONG);
    await vi.waitFor(() => expect(hub.leadership.isLeading()).toBe(true), LONG);
    expect(member.parts.get(`${sid}/0`)?.order.alias).toBe("b");
    const alarms = events.filter((event) => event.type === "alarm" && event.alarm === "engine");
    expect(alarms.map((event) => event.type === "alarm" && event.raised)).toEqual([true, false]);
  }, 120_000);

  test("on three servers goes on when one of them is killed", async () => {
    const fleet = await started(3);
    const hub = await fleet.hub();
    const admin = fleet.admin(hub);
    expect(hub.fleet.info(admin).engine).toMatchObject({ connected: true, servers: 3 });
    const members = [await fleet.member(hub), await fleet.member(hub), await fleet.member(hub)];
    const part = { url: "server://0.0.0.0:auto/127.0.0.1:80", running: true };
    const create = (mid: string) =>
      hub.fleet.createService(admin, { ...ON_ONE, parts: [{ ...part, master: mid }] });
    for (const { identity } of members) await create(identity.mid);
    // Whoever is connected to it is taken by another; a record's leader may have been there.
    const [server] = fleet.servers;
    await server?.kill();
    const all = members.map(async ({ identity }) => {
      await vi.waitFor(
        async () => {
          const { parts } = await create(identity.mid);
          expect(parts[0]?.state).toBe("applied");
        },
        { timeout: 60_000, interval: 500 },
      );
    });
    await Promise.all(all);
    expect(members.every((member) => member.parts.size >= 2)).toBe(true);
    await server?.restart();
  }, 180_000);

  test("a hub that is restarted learns from its members what they run", async () => {
    const fleet = await started();
    const first = await fleet.hub();
    const member = await fleet.member(first);
    const { mid } = member.identity;
    const part = { url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid, running: true };
    const { sid } = await first.fleet.createService(fleet.admin(first), {
      ...ON_ONE,
      parts: [part],
    });
    await first.close();
    const second = await fleet.hub();
    const admin = fleet.admin(second);
    expect(second.fleet.service(admin, sid).parts[0]?.state).not.toBe("applied");
    expect(second.fleet.master(admin, mid).allow).toEqual(["apply", "api", "read"]);
    await vi.waitFor(() => {
      const shown = second.fleet.service(admin, sid).parts[0];
      expect(shown).toMatchObject({ state: "applied", owner: mid });
      expect(shown?.instance).toBe(member.parts.get(`${sid}/0`)?.report.instance);
      expect(second.fleet.master(admin, mid)).toMatchObject({
        version: "simulated",
        allow: ["apply", "api", "read"],
        status: "online",
      });
    }, LONG);
    // Its connection was never cut. The hub knows what it said before it has its answer.
    await vi.waitFor(() => expect(member.synced).toBe(2), LONG);
  }, 120_000);

  test("notices that another bucket is in its place while it runs, and stops nothing by that", async () => {
    const fleet = await started();
    const hub = await fleet.hub();
    const admin = fleet.admin(hub);
    const member = await fleet.member(hub);
    const { mid } = member.identity;
    const part = { url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid, running: true };
    const service = { ...ON_ONE, parts: [part] };
    await hub.fleet.createService(admin, service);
    const { bucket } = member;
    const { link } = await openTestStore(fleet);
    const manager = await jetstreamManager(link.connection);
    await manager.streams.delete(`KV_${storeNames("test").services}`);
    const again = member.nextSync();
    const { store, link: other } = await openTestStore(fleet);
    await vi.waitFor(() => expect(hub.index.services.size).toBe(0), LONG);
    await again;
    await vi.waitFor(() => {
      const [alarm] = hub.fleet.info(admin).alarms;
      expect(alarm).toMatchObject({ alarm: "store-older" });
    }, LONG);
    // It goes by the new one's name from now on: who has nothing to lose takes it over.
    const fresh = await fleet.member(hub);
    expect(fresh.bucket).toBe(store.identity.nonce);
    expect(fresh.bucket).not.toBe(bucket);
    // However far that gets: what a member has of the former one is none of its business.
    for (let made = 0; made < member.revision + 3; made += 1) {
      const parts = [{ ...part, master: fresh.identity.mid }];
      await hub.fleet.createService(admin, { ...service, parts });
    }
    await member.sync();
    expect(hub.index.revision).toBeGreaterThan(member.revision);
    expect([member.parts.size, member.bucket]).toEqual([1, bucket]);
    await link.close();
    await other.close();
  }, 120_000);

  test("raises store-older when members know more than the store, and stops nothing", async () => {
    const warnings: string[] = [];
    const logger: Logger = { ...SILENT_LOGGER, error: (_, message) => warnings.push(message) };
    const fleet = await started();
    const hub = await fleet.hub({ logger });
    const admin = fleet.admin(hub);
    const member = await fleet.member(hub);
    const { mid } = member.identity;
    const part = { url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid, running: true };
    await hub.fleet.createService(admin, { ...ON_ONE, parts: [part] });
    await hub.close();
    // The bucket of services is lost; a new, empty one is in its place.
    const { link } = await openTestStore(fleet);
    const manager = await jetstreamManager(link.connection);
    await manager.streams.delete(`KV_${storeNames("test").services}`);
    await link.close();
    const after = await fleet.hub({ logger });
    await vi.waitFor(() => {
      const [alarm] = after.fleet.info(fleet.admin(after)).alarms;
      expect(alarm).toMatchObject({ alarm: "store-older" });
      expect(alarm?.message).toContain(mid);
    }, LONG);
    expect(after.fleet.services(fleet.admin(after))).toEqual([]);
    expect(member.parts.size).toBe(1);
    expect(member.evicted).toBeUndefined();
    expect(warnings).toContain("alarm");
  }, 120_000);
});
