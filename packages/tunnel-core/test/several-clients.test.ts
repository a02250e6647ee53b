import type { LogRecord, Tunnel, TunnelOptions } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTunnel as openFirstRelease } from "./first-release/first-release.mjs";
import { Peer114Client } from "./peer-114/index.ts";
import {
  type NamedTarget,
  namedUsers,
  startNamedTarget,
  stillEchoes,
} from "./support/named-targets.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { entryOf, eventually, openEnd } from "./support/tunnel-pair.ts";
import { dial, echo, endUsers, openUdpPeer, readExactly } from "./support/users.ts";
import { EndProcess } from "./trust/support/end-process.ts";
import { expectLogged } from "./trust/support/log-search.ts";

/** Of this file alone. */
const HOST = "127.61.3.1";
const KEY = "correct-horse-battery";

let targets: NamedTarget[];
const ends: Tunnel[] = [];
const processes: EndProcess[] = [];
let logs: LogRecord[];

beforeEach(async () => {
  logs = [];
  targets = await Promise.all(["A", "B", "C"].map((name) => startNamedTarget(name, HOST)));
});

afterEach(async () => {
  endUsers();
  for (const end of processes.splice(0)) await end.kill();
  for (const end of ends.splice(0).reverse()) await end.close({ timeoutMs: 0 });
  for (const target of targets) target.close();
  await expectNoSockets();
});

async function open(url: string, options: TunnelOptions = {}, first = false): Promise<Tunnel> {
  const end = await openEnd(url, logs, options, first ? openFirstRelease : undefined);
  ends.push(end);
  return end;
}

const server = (query: string): Promise<Tunnel> =>
  open(`server://${KEY}@${HOST}:0/${HOST}:0?mode=1&${query}`);

function clientUrl(to: Tunnel, which: number, query = ""): string {
  return `client://${KEY}@${HOST}:${to.tunnelAddress?.port}/${targets[which]?.at}?mode=2&min=4${query}`;
}

/** The client whose target says A, B or C. */
async function client(to: Tunnel, which: number, first = false): Promise<Tunnel> {
  const end = await open(clientUrl(to, which), {}, first);
  await end.ready();
  await eventually(() => expect(end.counters().pool).toBeGreaterThan(0));
  return end;
}

const entry = (end: Tunnel) => ({ ...entryOf(end), host: HOST });
const carriers = (users: readonly { by: string }[]) =>
  users
    .map(({ by }) => by)
    .sort()
    .join("");
const connected = (to: Tunnel, count: number) =>
  eventually(() => {
    expect(to.peers().filter((peer) => peer.connected && peer.pool > 0)).toHaveLength(count);
  });

describe.each([0, 1] as const)("reverse, tls=%i", (tls) => {
  test("users go to the client with the fewest connections; each is counted", async () => {
    const to = await server(`clients=3&tls=${tls}`);
    await client(to, 0);
    await client(to, 1);
    // One of the first release is a client like any other.
    await client(to, 2, true);
    await connected(to, 3);
    const users = await namedUsers(entry(to), 9);
    expect(carriers(users)).toBe("AAABBBCCC");
    for (const { by, socket } of users) if (by === "A") socket.destroy();
    await eventually(() => expect(to.counters().tcps).toBe(6));
    expect(carriers(await namedUsers(entry(to), 3))).toBe("AAA");
    await eventually(() => {
      expect(to.peers().map(({ number, tcps, users: all }) => [number, tcps, all])).toEqual([
        [1, 3, 6],
        [2, 3, 3],
        [3, 3, 3],
      ]);
    });
    expect(to.peers()).toMatchObject([
      { address: HOST.replace("61.3", "0.0"), connected: true, reason: undefined, tcptx: 6 },
      { tcptx: 3 },
      { tcptx: 3 },
    ]);
    await eventually(() =>
      expect(Math.min(...to.peers().map(({ ping }) => ping))).toBeGreaterThan(0),
    );
    const { pool, reconnects } = to.counters();
    expect([pool >= 3, reconnects]).toEqual([true, 0]);
  });

  test("one that stops in order lets its users finish, and takes none", async () => {
    const to = await server(`clients=2&tls=${tls}`);
    const leaving = await client(to, 0);
    await client(to, 1);
    await connected(to, 2);
    const users = await namedUsers(entry(to), 4);
    expect(carriers(users)).toBe("AABB");
    const closed = leaving.close({ timeoutMs: 60_000 });
    await connected(to, 1);
    expect(carriers(await namedUsers(entry(to), 4))).toBe("BBBB");
    for (const user of users) {
      expect(await stillEchoes(user)).toBe(true);
      user.socket.end();
    }
    await closed;
    expect(to.state).toBe("running");
    // Its place is free, and the next one that comes has it.
    await client(to, 2);
    await connected(to, 2);
    expect(to.peers().map(({ number, users: all }) => [number, all])).toEqual([
      [1, 0],
      [2, 6],
    ]);
    expect(to.counters().reconnects).toBe(1);
  });
});

test("more clients than may be are told so, until one leaves", async () => {
  const to = await server("clients=2");
  const first = await client(to, 0);
  await client(to, 1);
  const third = await open(clientUrl(to, 2));
  await expect(third.ready({ failOnRefusal: true })).rejects.toMatchObject({
    code: "HANDSHAKE_REJECTED",
    message: expect.stringContaining("409 2 clients have the tunnel, more may not"),
  });
  await expectLogged(logs, "handshake refused: as many clients as may be are there");
  expect(to.counters().handshakesRefused).toBeGreaterThan(0);
  await first.close({ timeoutMs: 0 });
  await third.ready();
  await connected(to, 2);
  expect(carriers(await namedUsers(entry(to), 4))).toBe("BBCC");
});

test.each([
  ["0", "in turn", "ABABAB"],
  ["2", "the first that came", "AAAAAA"],
])("lbs=%s: %s", async (lbs, _what, expected) => {
  const to = await server(`clients=2&lbs=${lbs}`);
  const first = await client(to, 0);
  await client(to, 1);
  await connected(to, 2);
  const users = await namedUsers(entry(to), 6);
  expect(users.map(({ by }) => by).join("")).toBe(expected);
  await first.close({ timeoutMs: 0 });
  await connected(to, 1);
  expect(carriers(await namedUsers(entry(to), 2))).toBe("BB");
  // A primary that comes back is the primary again.
  await client(to, 0);
  await connected(to, 2);
  const after = await namedUsers(entry(to), 4);
  expect(carriers(after)).toBe(lbs === "2" ? "AAAA" : "AABB");
});

test("one that has frozen gets no more users after its ping, before it is lost", async () => {
  const to = await server("clients=2");
  const frozen = await EndProcess.open(clientUrl(to, 0), { reportIntervalMs: 500 });
  processes.push(frozen);
  await connected(to, 1);
  await client(to, 1);
  await connected(to, 2);
  const users = await namedUsers(entry(to), 4);
  expect(carriers(users)).toBe("AABB");
  for (const { by, socket } of users) if (by === "A") socket.destroy();
  await eventually(() => expect(to.peers()[0]?.tcps).toBe(0));
  frozen.signal("SIGSTOP");
  // It would be the turn of the first client until it has as many again.
  await eventually(async () => {
    void dial(entry(to));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(to.peers()[1]?.users).toBeGreaterThan(2);
  });
  const [first, second] = to.peers();
  expect(first?.connected).toBe(true);
  expect(first?.tcps).toBeLessThan(second?.tcps ?? 0);
  await connected(to, 1);
  expect(carriers(await namedUsers(entry(to), 4))).toBe("BBBB");
});

test("forward: any number of clients, each an entry of its own", async () => {
  const to = await open(`server://${KEY}@${HOST}:0/${targets[0]?.at}?mode=2&clients=3`);
  const at = `client://${KEY}@${HOST}:${to.tunnelAddress?.port}/${HOST}:0?mode=2&min=4`;
  const clients = await Promise.all([open(at), open(at), open(at, {}, true)]);
  for (const each of clients) {
    await each.ready();
    expect((await echo(entry(each), Buffer.from("hello"))).toString()).toBe("Ahello");
  }
  const stays = await dial(entry(clients[1] ?? to));
  await readExactly(stays, 1);
  await eventually(() => {
    const seen = to.peers().map(({ users, tcps, tcprx }) => [users, tcps, tcprx]);
    expect(seen.sort()).toEqual([
      [1, 0, 6],
      [1, 0, 6],
      [2, 1, 7],
    ]);
  });
  const fourth = await open(at);
  await expect(fourth.ready({ failOnRefusal: true })).rejects.toMatchObject({
    code: "HANDSHAKE_REJECTED",
  });
});

test("UDP sessions count as connections, and go to the client with the fewest", async () => {
  const to = await server("clients=2");
  await client(to, 0);
  await client(to, 1);
  await connected(to, 2);
  const peers = await Promise.all([1, 2, 3, 4].map(() => openUdpPeer(entry(to))));
  for (const peer of peers) peer.send(Buffer.from("one"));
  await eventually(() => {
    expect(to.peers().map(({ udps, udprx }) => [udps, udprx])).toEqual([
      [2, 6],
      [2, 6],
    ]);
  });
});

test("a NodePass 1.14 client is known by its address: one of each", async () => {
  const to = await server("clients=3");
  await client(to, 0);
  const [host = "", port] = targets[1]?.at.split(":") ?? [];
  const old = {
    tunnel: { host: HOST, port: to.tunnelAddress?.port ?? 0 },
    key: KEY,
    target: { host, port: Number(port) },
  };
  const peer = Peer114Client.start(old);
  await eventually(() => expect(to.peers().filter((each) => each.connected)).toHaveLength(2));
  await eventually(() => expect(to.peers()[1]?.pool).toBeGreaterThan(0));
  expect(carriers(await namedUsers(entry(to), 4))).toBe("AABB");
  const second = Peer114Client.start(old);
  await expectLogged(logs, "handshake refused: another client has the tunnel");
  expect(to.peers()).toHaveLength(2);
  await second.close();
  await peer.close();
});

test("without clients= nothing is counted for each, and the second client is refused", async () => {
  const to = await server("tls=0");
  await client(to, 0);
  expect(to.peers()).toEqual([]);
  const second = await open(clientUrl(to, 1));
  await expect(second.ready({ failOnRefusal: true })).rejects.toMatchObject({
    message: expect.stringContaining("another client has the tunnel"),
  });
});
