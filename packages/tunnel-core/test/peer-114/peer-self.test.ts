import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  exchangeTcp,
  makeCertificate,
  openUdpUser,
  Peer114Client,
  type Peer114ClientOptions,
  Peer114Server,
  type Peer114ServerOptions,
  startTarget,
  type Tls,
  transfer,
} from "./index.ts";

const timings = { reportIntervalMs: 150, minPoolIntervalMs: 10, maxPoolIntervalMs: 100 };
const opened: Array<{ close(): Promise<void> }> = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
  await vi.waitFor(
    () => {
      const left = process.getActiveResourcesInfo().filter((name) => /^(TCP|UDP)/.test(name));
      expect(left).toEqual([]);
    },
    { timeout: 10_000 },
  );
});

/** Waits without caring how slow the machine is. */
function eventually<T>(probe: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(probe, { timeout: 20_000, interval: 10 });
}

async function pair(
  flow: "-" | "+",
  tls: Tls,
  server: Partial<Peer114ServerOptions> = {},
  client: Partial<Peer114ClientOptions> = {},
) {
  const target = await startTarget();
  const free = { host: "127.0.0.1", port: 0 };
  const a = await Peer114Server.start({
    flow,
    tls,
    timings,
    key: "secret",
    target: flow === "-" ? free : target,
    ...server,
  });
  const b = Peer114Client.start({
    tunnel: a.tunnelAddress,
    key: "secret",
    timings,
    target: flow === "-" ? target : free,
    ...client,
  });
  opened.push(target, a, b);
  return { target, server: a, client: b, entry: flow === "-" ? a : b };
}

describe.each([
  { flow: "-", tls: 0 },
  { flow: "-", tls: 1 },
  { flow: "+", tls: 0 },
  { flow: "+", tls: 1 },
] as const)("two 1.14 peers, flow $flow, tls $tls", ({ flow, tls }) => {
  test("carry TCP and UDP over several report intervals and accuse nobody", async () => {
    const { server, client, entry } = await pair(flow, tls);
    await Promise.all([server.ready(), client.ready()]);
    const user = await openUdpUser(entry.entryAddress);
    expect(await exchangeTcp(entry.entryAddress, Buffer.from("hello tcp"), 9)).toEqual(
      Buffer.from("hello tcp"),
    );
    expect(String(await user.exchange(Buffer.from("hello udp")))).toBe("re:hello udp");
    const large = await transfer(entry.entryAddress, 3_000_000);
    expect(large.receivedBytes).toBe(3_000_000);
    expect(large.received).toBe(large.sent);
    await eventually(() => expect(server.counters.pings).toBeGreaterThan(5));
    expect(String(await user.exchange(Buffer.from("again")))).toBe("re:again");
    user.close();
    await eventually(() => expect(server.counters.openTcps + client.counters.openTcps).toBe(0));
    expect([...server.violations, ...client.violations]).toEqual([]);
    expect([server.sessions, client.sessions]).toEqual([1, 1]);
    expect(server.counters.verifies).toBe(tls === 0 ? 0 : 1);
    expect(client.counters.verifies).toBe(tls === 0 ? 0 : 1);
  });

  test("serve again after the control connection was cut", async () => {
    const { server, client, entry } = await pair(flow, tls);
    await Promise.all([server.ready(), client.ready()]);
    const user = connect(entry.entryAddress.port, "127.0.0.1");
    user.on("error", () => undefined);
    user.write("x");
    await once(user, "data");
    const cut = once(user, "close");
    server.killControl();
    await cut;
    await Promise.all([once(server, "ready"), once(client, "ready")]);
    expect(String(await exchangeTcp(entry.entryAddress, Buffer.from("back"), 4))).toBe("back");
    expect([...server.violations, ...client.violations]).toEqual([]);
  });
});

test.each(["-", "+"] as const)("with tls 2 two peers never carry a byte, flow %s", async (flow) => {
  const certificate = await makeCertificate("nodepass.test");
  const { server, client } = await pair(
    flow,
    2,
    { certificate, serverName: "nodepass.test" },
    { ca: certificate.cert, serverName: "nodepass.test" },
  );
  await eventually(() => expect(server.counters.sessionsLost).toBeGreaterThan(1));
  expect(server.counters.verifyMismatches + client.counters.verifyMismatches).toBeGreaterThan(1);
  expect(server.counters.tcps + client.counters.tcps).toBe(0);
  expect([...server.violations, ...client.violations]).toEqual([]);
});

test("a client that does not trust the certificate opens no pool connection", async () => {
  const { server, client } = await pair("+", 2, {}, { ca: (await makeCertificate()).cert });
  await eventually(() => expect(client.counters.poolDropped).toBeGreaterThan(3));
  expect(server.sessions).toBe(0);
});

test("data on a pool connection may come before its signal", async () => {
  const { client } = await pair("+", 0, {}, { timings: { ...timings, signalDelayMs: 100 } });
  await client.ready();
  expect(String(await exchangeTcp(client.entryAddress, Buffer.from("early"), 5))).toBe("early");
});

test("the key comes from the tunnel port when none is given", async () => {
  const { server, client } = await pair("-", 0, { key: undefined }, { key: undefined });
  await client.ready();
  expect(client.key).toBe(server.key);
  expect(server.key).toMatch(/^[0-9a-f]{8}$/);
});

test("pool connections from another address and past max are dropped", async () => {
  const { server, client } = await pair("-", 0, { max: 3 }, { poolLocalAddress: "127.0.0.2" });
  await eventually(() => expect(server.counters.poolDropped).toBeGreaterThan(3));
  expect(client.sessions).toBe(0);
  const second = await pair("-", 0, { max: 3 }, { min: 6 });
  await second.client.ready();
  await eventually(() => expect(second.server.counters.poolDropped).toBeGreaterThan(0));
  expect(second.server.idle).toBeLessThanOrEqual(3);
});

test("flush empties both pools, and they fill again", async () => {
  const { server, client, entry } = await pair("-", 0);
  await Promise.all([server.ready(), client.ready()]);
  await eventually(() => expect(server.idle).toBeGreaterThanOrEqual(4));
  const before = server.counters.poolOpened;
  server.sendFlush();
  await eventually(() => expect(client.counters.flushes).toBe(1));
  await eventually(() => expect(server.counters.poolOpened).toBeGreaterThanOrEqual(before + 4));
  expect(String(await exchangeTcp(entry.entryAddress, Buffer.from("ok"), 2))).toBe("ok");
  expect([...server.violations, ...client.violations]).toEqual([]);
});
