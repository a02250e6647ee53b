import {
  type LogRecord,
  type Tunnel,
  type TunnelOptions,
  TunnelPorts,
} from "@nodepass/tunnel-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTunnel as openFirstRelease } from "./first-release/first-release.mjs";
import { Peer114Client, type Peer114ClientOptions } from "./peer-114/index.ts";
import { makeAuthority } from "./support/authority.ts";
import {
  type NamedTarget,
  namedUsers,
  startNamedTarget,
  stillEchoes,
} from "./support/named-targets.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { entryOf, eventually, openEnd } from "./support/tunnel-pair.ts";
import { echo, endUsers } from "./support/users.ts";
import { expectLogged } from "./trust/support/log-search.ts";

/** Of this file alone. */
const HOST = "127.61.3.3";
const PORT = 10_101;
const KEYS = ["first-key-of-the-port", "other-key-of-the-port", "third-key-of-the-port"];

let targets: NamedTarget[];
const ends: Tunnel[] = [];
const peers: Peer114Client[] = [];
let logs: LogRecord[];
let ports: TunnelPorts;

beforeEach(async () => {
  logs = [];
  ports = new TunnelPorts();
  targets = await Promise.all(["A", "B", "C"].map((name) => startNamedTarget(name, HOST)));
});

afterEach(async () => {
  endUsers();
  for (const peer of peers.splice(0)) await peer.close();
  for (const end of ends.splice(0).reverse()) await end.close({ timeoutMs: 0 });
  for (const target of targets) target.close();
  await expectNoSockets();
});

async function open(url: string, options: TunnelOptions = {}, first = false): Promise<Tunnel> {
  const end = await openEnd(url, logs, options, first ? openFirstRelease : undefined);
  ends.push(end);
  return end;
}

const server = (which: number, query = "", more: TunnelOptions = {}) =>
  open(`server://${KEYS[which]}@${HOST}:${PORT}/${HOST}:0?mode=1${query}`, { ports, ...more });
const client = (which: number, query = "", first = false, more: TunnelOptions = {}) =>
  open(
    `client://${KEYS[which]}@${HOST}:${PORT}/${targets[which]?.at}?mode=2&min=4${query}`,
    more,
    first,
  );
function start114(options: Peer114ClientOptions): Peer114Client {
  const peer = Peer114Client.start(options);
  peers.push(peer);
  return peer;
}
const entry = (end: Tunnel) => ({ ...entryOf(end), host: HOST });
const said = async (end: Tunnel) => (await echo(entry(end), Buffer.from("?"))).toString();
const filled = (end: Tunnel) => eventually(() => expect(end.counters().pool).toBeGreaterThan(0));

describe.each([0, 1] as const)("tunnels on one port, tls=%i", (tls) => {
  test.each([
    ["of this release", false],
    ["of the first release, which send no key id", true],
  ])("clients %s find their own", async (_which, first) => {
    const servers = [
      await server(0, `&tls=${tls}`),
      await server(1, `&tls=${tls}`),
      await server(2, `&tls=${tls}`),
    ];
    for (const which of [2, 0, 1]) await (await client(which, "", first)).ready();
    for (const each of servers) await filled(each);
    expect(await Promise.all(servers.map(said))).toEqual(["A?", "B?", "C?"]);
    expect(servers.map((each) => each.tunnelAddress?.port)).toEqual([PORT, PORT, PORT]);
    expect(servers.map((each) => each.counters().handshakesRefused)).toEqual([0, 0, 0]);
  });

  test("one that closes takes nothing with it but its own, whichever came first", async () => {
    const [one, other] = [await server(0, `&tls=${tls}`), await server(1, `&tls=${tls}`)] as const;
    const away = await client(0);
    await client(1);
    await Promise.all([filled(one), filled(other)]);
    const users = await namedUsers(entry(other), 2);
    await one.close({ timeoutMs: 0 });
    for (const user of users) expect(await stillEchoes(user)).toBe(true);
    expect(await said(other)).toBe("B?");
    expect(other.counters().reconnects).toBe(0);
    await eventually(() => expect(away.state).toBe("error"));
    // It comes back to the same port.
    const again = await server(0, `&tls=${tls}`);
    await filled(again);
    expect(await said(again)).toBe("A?");
    await other.close({ timeoutMs: 0 });
    expect(await said(again)).toBe("A?");
  });

  test("a wrong key and a wrong token are refused", async () => {
    const one = await server(0, `&tls=${tls}`);
    await server(1, `&tls=${tls}`);
    for (const first of [false, true]) {
      const stranger = await client(2, "", first);
      await eventually(() => expect(stranger.reason).toContain("401 Unauthorized"));
      await stranger.close({ timeoutMs: 0 });
    }
    await expectLogged(logs, /wrong proof/);
    const peer = start114({
      tunnel: { host: HOST, port: PORT },
      key: KEYS[2],
      target: { host: HOST, port: 1 },
    });
    await expectLogged(logs, "handshake refused: wrong token");
    await peer.close();
    // It belongs to none: the tunnel that has been here longest counts it.
    expect(one.counters().handshakesRefused).toBeGreaterThanOrEqual(3);
  });

  test("NodePass 1.14 clients: one for each address, told apart by their tokens", async () => {
    const servers = [await server(0, `&tls=${tls}`), await server(1, `&tls=${tls}`)] as const;
    await client(0);
    const [host = "", port] = targets[1]?.at.split(":") ?? [];
    const of114 = { tunnel: { host: HOST, port: PORT }, target: { host, port: Number(port) } };
    // With TLS its `verify` comes a report interval later.
    const peer = start114({ ...of114, key: KEYS[1], timings: { reportIntervalMs: 300 } });
    await eventually(() => expect(servers[1].hasPeer).toBe(true));
    await Promise.all(servers.map(filled));
    // It knows no half-close.
    const [user] = await namedUsers(entry(servers[1]), 1);
    expect(user?.by).toBe("B");
    expect(await said(servers[0])).toBe("A?");
    // Another one of this address could not be told from it: nothing is in its connections.
    const third = await server(2, `&tls=${tls}`);
    const rival = start114({ ...of114, key: KEYS[2] });
    await expectLogged(logs, "handshake refused: another client has the tunnel");
    expect(third.hasPeer).toBe(false);
    await rival.close();
    await peer.close();
  });
});

test.each([
  ["the same key", 0, "", "the same key: several on one address need different ones"],
  ["another type", 1, "&type=2", "type=0: several on one address need the same type"],
  ["another path", 1, "&path=/x", "path=/: several on one address need the same path"],
  ["TLS beside none", 1, "&tls=1", "tls=0: several on one address need the same tls, or 1 and 2"],
])("%s can't be on the port", async (_what, which, query, why) => {
  const one = await server(0);
  await expect(server(which, query)).rejects.toMatchObject({
    code: "ADDRESS_IN_USE",
    message: expect.stringContaining(why),
  });
  expect(one.state).toBe("running");
  // Alone it may be all of that.
  await one.close({ timeoutMs: 0 });
  await server(which, query);
});

test("tunnels that are not given the same TunnelPorts don't share", async () => {
  await server(0);
  await expect(server(1, "", { ports: new TunnelPorts() })).rejects.toMatchObject({
    code: "ADDRESS_IN_USE",
  });
});

test("two that come at once are both there", async () => {
  const servers = await Promise.all([server(0), server(1), server(2)]);
  for (const which of [0, 1, 2]) await client(which);
  await Promise.all(servers.map(filled));
  expect(await Promise.all(servers.map(said))).toEqual(["A?", "B?", "C?"]);
});

test("over WebSocket and HTTP/2, too", async () => {
  for (const type of [2, 3]) {
    const servers = [await server(0, `&type=${type}`), await server(1, `&type=${type}`)] as const;
    const clients = [await client(0), await client(1)];
    await Promise.all(servers.map(filled));
    expect(await Promise.all(servers.map(said))).toEqual(["A?", "B?"]);
    for (const end of [...clients, ...servers]) await end.close({ timeoutMs: 0 });
  }
});

test("each name its certificate; who asks for none gets that of the tunnel that came first", async () => {
  const names = ["one.example", "other.example"];
  const authorities = await Promise.all(names.map((name) => makeAuthority(name)));
  const servers = [];
  for (const [which, { query }] of authorities.entries()) {
    servers.push(await server(which, `&tls=2&${query}`));
  }
  servers.push(await server(2, "&tls=1"));
  for (const [which, { ca }] of authorities.entries()) {
    await (await client(which, `&sni=${names[which]}`, false, { ca })).ready();
  }
  // Any certificate will do, if it is the one that the proved answer names.
  await (await client(2)).ready();
  await Promise.all(servers.map(filled));
  expect(await Promise.all(servers.map(said))).toEqual(["A?", "B?", "C?"]);
  // The name of another tunnel on the port brings that one's certificate, and the answer says so.
  await ends.pop()?.close({ timeoutMs: 0 });
  await (await client(2, "&sni=other.example")).ready();
  await filled(servers[2] ?? expect.fail());
  expect(await said(servers[2] ?? expect.fail())).toBe("C?");
  for (const authority of authorities) await authority.remove();
});

test("one is replaced while the others serve, and what it had open goes on", async () => {
  const [one, other] = [await server(0), await server(1)] as const;
  await client(0);
  await client(1);
  await Promise.all([filled(one), filled(other)]);
  const users = [...(await namedUsers(entry(one), 1)), ...(await namedUsers(entry(other), 1))];
  const next = await server(0, "&max=8", { takeOver: one });
  await filled(next);
  expect(await said(next)).toBe("A?");
  expect(await said(other)).toBe("B?");
  for (const user of users) expect(await stillEchoes(user)).toBe(true);
  expect(other.counters().reconnects).toBe(0);
  // Another type would need another listener, which the other one has.
  await expect(server(0, "&type=2", { takeOver: next })).rejects.toMatchObject({
    code: "ADDRESS_IN_USE",
  });
  expect(await said(next)).toBe("A?");
});
