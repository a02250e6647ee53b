import type { LogRecord, Tunnel, TunnelOptions } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTunnel as openFirstRelease } from "./first-release/first-release.mjs";
import {
  type NamedTarget,
  namedUsers,
  startNamedTarget,
  stillEchoes,
} from "./support/named-targets.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { entryOf, eventually, openEnd } from "./support/tunnel-pair.ts";
import { echo, endUsers } from "./support/users.ts";
import { EndProcess } from "./trust/support/end-process.ts";
import { expectLogged } from "./trust/support/log-search.ts";

/** Of this file alone. */
const HOST = "127.61.3.2";
const KEY = "correct-horse-battery";

let targets: NamedTarget[];
const ends: Tunnel[] = [];
const processes: EndProcess[] = [];
let logs: LogRecord[];

beforeEach(async () => {
  logs = [];
  targets = await Promise.all(["A", "B"].map((name) => startNamedTarget(name, HOST)));
});

afterEach(async () => {
  endUsers();
  for (const end of ends.splice(0).reverse()) await end.close({ timeoutMs: 0 });
  for (const end of processes.splice(0)) await end.kill();
  for (const target of targets) target.close();
  await expectNoSockets();
});

async function open(url: string, options: TunnelOptions = {}, first = false): Promise<Tunnel> {
  const end = await openEnd(url, logs, options, first ? openFirstRelease : undefined);
  ends.push(end);
  return end;
}

const at = (server: Tunnel) => `${HOST}:${server.tunnelAddress?.port}`;
const entry = (end: Tunnel) => ({ ...entryOf(end), host: HOST });
const reverse = (tls: number, first = false, port = 0) =>
  open(`server://${KEY}@${HOST}:${port}/${HOST}:0?mode=1&tls=${tls}`, {}, first);
const said = async (end: Tunnel) => (await echo(entry(end), Buffer.from("?"))).toString();

describe.each([0, 1] as const)("reverse, tls=%i: the client is the exit of each server", (tls) => {
  test("all are entries, one that dies is one less, and it is held again when it is back", async () => {
    // A server of the first release is one like the others.
    const servers = [await reverse(tls), await reverse(tls, true)] as const;
    const [one, other] = servers;
    const client = await open(`client://${KEY}@${at(one)},${at(other)}/${targets[0]?.at}?min=4`);
    await client.ready();
    for (const server of servers) {
      await eventually(() => expect(server.counters().pool).toBeGreaterThan(0));
      expect(await said(server)).toBe("A?");
    }
    const users = await namedUsers(entry(other), 2);
    const port = one.tunnelAddress?.port;
    one.destroy();
    await eventually(() => {
      expect(client.peers()).toMatchObject([
        { number: 1, address: at(one), connected: false, reason: expect.any(String), tcps: 0 },
        { number: 2, address: at(other), connected: true, reason: undefined, tcps: 2 },
      ]);
    });
    expect([client.state, client.hasPeer]).toEqual(["running", true]);
    for (const user of users) expect(await stillEchoes(user)).toBe(true);
    const again = await reverse(tls, false, port);
    await eventually(() => expect(again.counters().pool).toBeGreaterThan(0));
    expect(await said(again)).toBe("A?");
    expect(client.counters().reconnects).toBe(1);
    expect(client.peers()).toMatchObject([
      { connected: true, users: 2, tcprx: 4, tcptx: 2 },
      { connected: true, users: 3 },
    ]);
  });
});

test.each([0, 1] as const)(
  "forward, tls=%i: takes one server, and the next when it dies",
  async (tls) => {
    const url = (which: number) =>
      `server://${KEY}@${HOST}:0/${targets[which]?.at}?mode=2&tls=${tls}`;
    const [one, other] = [await open(url(0)), await open(url(1), {}, true)];
    const client = await open(`client://${KEY}@${at(one)},${at(other)}/${HOST}:0?min=4`);
    await client.ready();
    const first = await said(client);
    const [dies, lives] = first === "A?" ? [one, other] : [other, one];
    expect(lives.counters().pool).toBe(0);
    const lost = performance.now();
    dies.destroy();
    // Whoever comes now waits for the next server, and is not refused.
    expect(await said(client)).toBe(first === "A?" ? "B?" : "A?");
    console.info(`several servers: moved on after ${Math.round(performance.now() - lost)} ms`);
    expect(client.counters().reconnects).toBe(1);
    expect(
      client
        .peers()
        .map(({ connected, users }) => [connected, users])
        .sort(),
    ).toEqual([
      [false, 1],
      [true, 1],
    ]);
  },
);

test("forward: a server that takes connections and answers nothing is passed over", async () => {
  const url = (which: number) => `server://${KEY}@${HOST}:0/${targets[which]?.at}?mode=2`;
  const frozen = await EndProcess.open(url(0));
  processes.push(frozen);
  frozen.signal("SIGSTOP");
  const other = await open(url(1));
  const client = await open(
    `client://${KEY}@${HOST}:${frozen.tunnelPort},${at(other)}/${HOST}:0?min=4`,
  );
  await client.ready();
  expect(await said(client)).toBe("B?");
  expect(client.peers()[0]).toMatchObject({
    connected: false,
    reason: "no handshake within 800 ms",
  });
});

test("two names of one server: it has one session, and the other is refused", async () => {
  const one = await reverse(0);
  const port = one.tunnelAddress?.port;
  const url = `client://${KEY}@${HOST}:${port},localhost:${port}/${targets[0]?.at}?min=4`;
  const client = await open(url, {
    lookup: () => Promise.resolve([{ address: HOST, family: 4 as const }]),
  });
  await client.ready();
  await eventually(() =>
    expect(client.peers()[1]?.reason ?? client.peers()[0]?.reason).toContain("409"),
  );
  expect(client.peers().filter(({ connected }) => connected)).toHaveLength(1);
  const { reconnects } = one.counters();
  expect(await said(one)).toBe("A?");
  expect(one.counters().reconnects).toBe(reconnects);
});

test("says which server is in another mode than the others", async () => {
  const one = await reverse(0);
  const client = await open(`client://${KEY}@${at(one)},${HOST}:1/${targets[0]?.at}?min=4`);
  await client.ready();
  const turned = await open(`server://${KEY}@${HOST}:0/${targets[1]?.at}?mode=2`);
  const both = await open(`client://${KEY}@${at(one)},${at(turned)}/${targets[0]?.at}?min=4`);
  await client.close({ timeoutMs: 0 });
  await eventually(() => expect(both.peers()[0]?.connected).toBe(true));
  await expectLogged(logs, /the server is in forward mode, others of this client in reverse mode/);
  expect(both.state).toBe("running");
});

test("all servers turned round: the client takes the users", async () => {
  const ports = [0, 0];
  const servers: Tunnel[] = [];
  for (const [index] of ports.entries()) {
    const server = await reverse(0);
    ports[index] = server.tunnelAddress?.port ?? 0;
    servers.push(server);
  }
  const list = ports.map((port) => `${HOST}:${port}`).join(",");
  const client = await open(`client://${KEY}@${list}/${HOST}:0?min=4`);
  await eventually(() => expect(client.peers().every(({ connected }) => connected)).toBe(true));
  expect(client.entryAddress).toBeUndefined();
  for (const server of servers) server.destroy();
  for (const port of ports) {
    await open(`server://${KEY}@${HOST}:${port}/${targets[0]?.at}?mode=2`);
  }
  await eventually(() => expect(client.entryAddress).toBeDefined());
  expect(await said(client)).toBe("A?");
  expect(client.peers().filter(({ connected }) => connected)).toHaveLength(1);
});
