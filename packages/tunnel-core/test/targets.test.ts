import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { TargetState } from "@nodepass/tunnel-core";
import { afterEach, describe, expect, test } from "vitest";
import { type DeafListener, startDeafListener } from "./support/deaf-listener.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { closedPort, type ScriptedTarget, startScriptedTarget } from "./support/scripted-target.ts";
import { entryOf, eventually, openEnd, openPair } from "./support/tunnel-pair.ts";
import { dial, echo, endUsers, readExactly, refusalOf } from "./support/users.ts";

const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  endUsers();
  for (const one of open.splice(0).reverse()) await one.close();
  await expectNoSockets();
});

async function deaf(host = "127.0.0.1"): Promise<DeafListener> {
  const listener = await startDeafListener(host);
  open.push(listener);
  return listener;
}

async function target(host?: string): Promise<ScriptedTarget> {
  const started = await startScriptedTarget(host);
  open.push(started);
  return started;
}

/** How long each of some users, one after the other, waits for an answer, ms. */
async function waits(where: { host: string; port: number }, users: number): Promise<number[]> {
  const all: number[] = [];
  for (let user = 0; user < users; user++) {
    const startedAt = performance.now();
    const socket = await dial(where);
    socket.write("x");
    await readExactly(socket, 1);
    all.push(performance.now() - startedAt);
    socket.destroy();
  }
  return all;
}

const tcp = (states: readonly TargetState[]) => states.filter(({ protocol }) => protocol === "tcp");

describe.each(["single", "reverse", "forward"] as const)("flow %s", (flow) => {
  test("one of two targets swallows what is sent: nobody waits for it", async () => {
    const dead = await deaf();
    const live = await target();
    const pair = await openPair({
      flow,
      target: `${dead.host}:${dead.port},${live.at}`,
      // The probe behind PING runs meanwhile, and takes no turn.
      limits: { reportIntervalMs: 100, tcpDialTimeoutMs: 1000 },
    });
    open.push(pair);
    const changes: TargetState[] = [];
    pair.exitEnd.on("target", (state) => changes.push(state));
    const times = await waits(pair.entry, 12);
    // Half of a dial's time limit, below which only those are who did not wait for the dead one.
    expect(times.filter((ms) => ms > 900)).toEqual([]);
    expect(times.filter((ms) => ms > 250).length).toBeLessThanOrEqual(2);
    await eventually(() => {
      expect(tcp(pair.exitEnd.targets())).toMatchObject([
        { target: `${dead.host}:${dead.port}`, resting: true },
        { target: live.at, resting: false, reason: undefined },
      ]);
    });
    expect(changes).toMatchObject([{ target: `${dead.host}:${dead.port}`, resting: true }]);
    expect(pair.logs.filter(({ message }) => message === "target rests").length).toBe(1);
  });

  test("a target that refuses rests, and is used again once it serves", async () => {
    const live = await target();
    const port = await closedPort();
    const pair = await openPair({ flow, target: `127.0.0.1:${port},${live.at}` });
    open.push(pair);
    await waits(pair.entry, 4);
    expect(tcp(pair.exitEnd.targets()).map(({ resting }) => resting)).toEqual([true, false]);
    const back = await startAt(port);
    await eventually(async () => {
      await waits(pair.entry, 1);
      expect(back.connections).toBeGreaterThan(0);
    });
    await eventually(() => {
      expect(tcp(pair.exitEnd.targets()).map(({ resting }) => resting)).toEqual([false, false]);
    });
    expect(pair.logs.filter(({ message }) => message === "target serves again").length).toBe(1);
    const before = back.connections;
    await waits(pair.entry, 4);
    expect(back.connections - before).toBeGreaterThanOrEqual(2);
  });
});

/** An echo at this very port; the test is over if somebody else took it. */
async function startAt(port: number): Promise<{ connections: number; close(): Promise<unknown> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    back.connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  const back = {
    connections: 0,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  open.push(back);
  return back;
}

test("all resting: all are tried", async () => {
  const ports = [await closedPort(), await closedPort()];
  const end = await openEnd(
    `client://127.0.0.1:0/127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}?mode=1`,
    [],
    { limits: { reportIntervalMs: 60_000 } },
  );
  open.push({ close: () => end.close({ timeoutMs: 0 }) });
  const where = entryOf(end);
  for (let user = 0; user < 3; user++) await refusalOf(where);
  expect(tcp(end.targets()).map(({ resting }) => resting)).toEqual([true, true]);
  await startAt(ports[1] ?? 0);
  // At once, not after its rest.
  expect(String(await echo(where, Buffer.from("x")))).toBe("x");
});

test("among the addresses of one name the next is tried beside one that is silent", async () => {
  const dead = await deaf("127.0.4.1");
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(dead.port, "127.0.4.2");
  await once(server, "listening");
  open.push({ close: async () => void server.close() });
  const end = await openEnd(`client://127.0.0.1:0/dual.test:${dead.port}?mode=1`, [], {
    limits: { reportIntervalMs: 60_000 },
    lookup: () =>
      Promise.resolve([
        { address: "127.0.4.1", family: 4 },
        { address: "127.0.4.2", family: 4 },
      ]),
  });
  open.push({ close: () => end.close({ timeoutMs: 0 }) });
  const [first = 0, ...others] = await waits(entryOf(end), 6);
  expect(first).toBeGreaterThanOrEqual(290);
  expect(first).toBeLessThan(4000);
  // The address that was overtaken comes last from then on.
  expect(others.filter((ms) => ms > 250)).toEqual([]);
});

test("PING of several targets is that of the first that works", async () => {
  const live = await target();
  const end = await openEnd(
    `client://127.0.0.1:0/127.0.0.1:${await closedPort()},${live.at}?mode=1`,
    [],
    { limits: { reportIntervalMs: 50 } },
  );
  open.push({ close: () => end.close({ timeoutMs: 0 }) });
  await eventually(() => expect(end.counters().ping).toBeGreaterThan(0));
  expect(live.connections).toBeGreaterThan(0);
});
