import { once } from "node:events";
import { createServer } from "node:net";
import type { NameLookup } from "@nodepass/tunnel-core";
import { connectFirst, NameCache } from "@nodepass/tunnel-core";
import { afterEach, expect, test } from "vitest";
import { expectNoSockets } from "./support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "./support/scripted-target.ts";
import { entryOf, eventually, openEnd, tunnelPort } from "./support/tunnel-pair.ts";
import { echo, endUsers, openUdpPeer } from "./support/users.ts";

const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  endUsers();
  for (const one of open.splice(0).reverse()) await one.close();
  await expectNoSockets();
});

/** A name whose addresses the test changes. */
class Name {
  addresses: string[];
  asked = 0;

  constructor(...addresses: string[]) {
    this.addresses = addresses;
  }

  readonly lookup: NameLookup = () => {
    this.asked++;
    return Promise.resolve(
      this.addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  };
}

/** A service that is at one address of two, on one port. */
async function startBoth(): Promise<{
  first: ScriptedTarget;
  moveTo(host: string): Promise<ScriptedTarget>;
}> {
  const first = await startScriptedTarget("127.0.5.1");
  return {
    first,
    async moveTo(host) {
      await first.close();
      const second = await startScriptedTarget(host, first.port);
      open.push(second);
      return second;
    },
  };
}

test("a target that moved is found again at once, over TCP and UDP", async () => {
  const { first, moveTo } = await startBoth();
  const name = new Name("127.0.5.1");
  const end = await openEnd(`client://127.0.0.1:0/moving.test:${first.port}?mode=1`, [], {
    limits: { reportIntervalMs: 60_000 },
    lookup: name.lookup,
  });
  open.push({ close: () => end.close({ timeoutMs: 0 }) });
  const where = entryOf(end);
  const user = await openUdpPeer(where);
  user.send(Buffer.from("1"));
  await eventually(() => expect(user.received.map(String)).toEqual(["1"]));
  expect(String(await echo(where, Buffer.from("x")))).toBe("x");
  expect(name.asked).toBe(1);
  await moveTo("127.0.5.2");
  name.addresses = ["127.0.5.2"];
  // The same UDP session goes on with the new address.
  await eventually(() => {
    user.send(Buffer.from("2"));
    expect(user.received.map(String)).toContain("2");
  });
  await eventually(async () => {
    expect(String(await echo(where, Buffer.from("x")).catch(() => ""))).toBe("x");
  });
  // At most once a second, and not again while the address works.
  const { asked } = name;
  for (let count = 0; count < 20; count++) await echo(where, Buffer.from("x"));
  expect(name.asked).toBe(asked);
});

test("a server that moved is met again at its new address", async () => {
  const target = await startScriptedTarget();
  open.push(target);
  const first = await openEnd(`server://secret@127.0.5.1:0/127.0.0.1:0?mode=1`);
  const port = tunnelPort(first);
  const name = new Name("127.0.5.1");
  const client = await openEnd(
    `client://secret@moving.test:${port}/${target.at}?mode=2&min=2`,
    [],
    {
      lookup: name.lookup,
    },
  );
  open.push({ close: () => client.close({ timeoutMs: 0 }) });
  await client.ready();
  await first.close({ timeoutMs: 0 });
  name.addresses = ["127.0.5.2"];
  const second = await openEnd(`server://secret@127.0.5.2:${port}/127.0.0.1:0?mode=1`);
  open.push({ close: () => second.close({ timeoutMs: 0 }) });
  await eventually(async () => {
    expect(String(await echo(entryOf(second), Buffer.from("x")).catch(() => ""))).toBe("x");
  });
});

test("over UDP the next address of a name is taken, and remembered", async () => {
  const target = await startScriptedTarget("127.0.5.2");
  open.push(target);
  const name = new Name("127.0.5.1", "127.0.5.2");
  const end = await openEnd(`client://127.0.0.1:0/dual.test:${target.port}?mode=1`, [], {
    lookup: name.lookup,
  });
  open.push({ close: () => end.close({ timeoutMs: 0 }) });
  const first = await openUdpPeer(entryOf(end));
  first.send(Buffer.from("1"));
  // Not even the first datagram is lost.
  await eventually(() => expect(first.received.map(String)).toEqual(["1"]));
  const second = await openUdpPeer(entryOf(end));
  second.send(Buffer.from("2"));
  await eventually(() => expect(second.received.map(String)).toEqual(["2"]));
  expect(end.counters()).toMatchObject({ udps: 2, udpDropped: 0 });
});

test("over UDP what no address takes is counted, and a service that comes up is found", async () => {
  const target = await startScriptedTarget("127.0.5.2");
  await target.close();
  const name = new Name("127.0.5.1", "127.0.5.2");
  const end = await openEnd(`client://127.0.0.1:0/dual.test:${target.port}?mode=1`, [], {
    lookup: name.lookup,
  });
  open.push({ close: () => end.close({ timeoutMs: 0 }) });
  const user = await openUdpPeer(entryOf(end));
  let sent = 0;
  await eventually(() => {
    user.send(Buffer.from("x"));
    sent++;
    expect(end.counters().udpDropped).toBeGreaterThan(0);
  });
  expect(end.counters().udpDropped).toBeLessThanOrEqual(sent);
  open.push(await startScriptedTarget("127.0.5.2", target.port));
  await eventually(() => {
    user.send(Buffer.from("y"));
    expect(user.received.map(String)).toContain("y");
  });
  expect(end.counters().udps).toBe(1);
});

test("connectFirst goes on to the next address, and the cache knows it", async () => {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, "127.0.5.2");
  await once(server, "listening");
  open.push({ close: async () => void server.close() });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const name = new Name("127.0.5.1", "127.0.5.2");
  const names = new NameCache({ ttlMs: 60_000, lookup: name.lookup });
  const { signal } = new AbortController();
  const found = await connectFirst(names, { host: "dual.test", port }, signal);
  found.socket.destroy();
  expect(found.address).toBe("127.0.5.2");
  expect(await names.resolve("dual.test")).toMatchObject([
    { address: "127.0.5.2" },
    { address: "127.0.5.1" },
  ]);
});
