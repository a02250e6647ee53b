import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { LogRecord, Tunnel, TunnelState } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectNoSockets } from "./support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "./support/scripted-target.ts";
import {
  clientUrl,
  entryOf,
  eventually,
  openClient,
  openEnd,
  openServer,
  type PairOptions,
  tunnelPort,
} from "./support/tunnel-pair.ts";
import { dial, echo, endOf, endUsers, openUdpPeer, readExactly } from "./support/users.ts";

const HELLO = Buffer.from("hello");
const DUAL = [
  { flow: "reverse", tls: 0 },
  { flow: "forward", tls: 0 },
  { flow: "reverse", tls: 1 },
] as const;

let target: ScriptedTarget;
const tunnels: Tunnel[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  target = await startScriptedTarget();
});

afterEach(async () => {
  endUsers();
  for (const child of children.splice(0)) {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : 0;
    child.kill("SIGKILL");
    await gone;
  }
  for (const tunnel of tunnels.splice(0)) tunnel.destroy();
  await target.close();
  await expectNoSockets();
});

async function keep(opening: Promise<Tunnel>): Promise<Tunnel> {
  const tunnel = await opening;
  tunnels.push(tunnel);
  return tunnel;
}

async function expectServed(tunnel: Tunnel): Promise<void> {
  expect(String(await echo(entryOf(tunnel), HELLO))).toBe("hello");
}

/** A connection through the tunnel that stays open. */
async function openUser(tunnel: Tunnel): Promise<Socket> {
  const user = await dial(entryOf(tunnel));
  user.write("x");
  await readExactly(user, 1);
  return user;
}

/** A client in a process of its own. */
async function spawnClient(url: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("support/client-process.ts", import.meta.url));
  // By the package's own name it takes the built files.
  const child = spawn(process.execPath, [script, url], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const { stdout } = child;
  if (stdout === null) throw new Error("no output");
  const failed = once(child, "exit").then(([code]: unknown[]) => {
    throw new Error(`the client's process ended with ${String(code)}`);
  });
  await Promise.race([once(stdout, "data"), failed]);
  failed.catch(() => {});
  return child;
}

describe.each(DUAL)("flow $flow, tls $tls", ({ flow, tls }) => {
  const options = (): PairOptions => ({ flow, tls, target: target.at });

  test("serves again after the client was destroyed and another one came", async () => {
    const server = await keep(openServer(options()));
    const first = await keep(openClient(options(), tunnelPort(server)));
    await first.ready();
    await expectServed(flow === "reverse" ? server : first);
    first.destroy();
    await eventually(() => expect(server.state).toBe("error"));
    const second = await keep(openClient(options(), tunnelPort(server)));
    await second.ready();
    await server.ready();
    await expectServed(flow === "reverse" ? server : second);
  });

  test("a client comes back by itself when its server was started again", async () => {
    const server = await keep(openServer(options()));
    const port = tunnelPort(server);
    const client = await keep(openClient(options(), port));
    await client.ready();
    server.destroy();
    await eventually(() => expect(client.state).toBe("error"));
    const target2 = flow === "reverse" ? `127.0.0.1:${entryOf(server).port}` : target.at;
    const again = await keep(
      openEnd(
        `server://secret@127.0.0.1:${port}/${target2}?mode=${flow === "reverse" ? 1 : 2}&tls=${tls}`,
      ),
    );
    await client.ready();
    await again.ready();
    await expectServed(flow === "reverse" ? again : client);
  });
});

test("users who come while the client is away wait for the next one", async () => {
  const options: PairOptions = { flow: "reverse", target: target.at };
  const server = await keep(openServer(options));
  const early = echo(entryOf(server), HELLO);
  const first = await keep(openClient(options, tunnelPort(server)));
  expect(String(await early)).toBe("hello");
  first.destroy();
  await eventually(() => expect(server.state).toBe("error"));
  const waiting = Array.from({ length: 20 }, () => echo(entryOf(server), HELLO));
  const peer = await openUdpPeer(entryOf(server));
  peer.send(Buffer.from("early datagram"));
  await eventually(() => expect(server.counters()).toMatchObject({ tcps: 20, udps: 1 }));
  await keep(openClient(options, tunnelPort(server)));
  expect((await Promise.all(waiting)).map(String)).toEqual(Array(20).fill("hello"));
  await eventually(() => expect(peer.received.map(String)).toEqual(["early datagram"]));
});

test("a user for whom no client comes is reset in the time set", async () => {
  const options: PairOptions = {
    flow: "reverse",
    target: target.at,
    limits: { poolGetTimeoutMs: 100 },
  };
  const server = await keep(openServer(options));
  expect(await endOf(await dial(entryOf(server)))).toBe("ECONNRESET");
  await eventually(() => expect(server.counters().tcps).toBe(0));
});

test("the same client takes its tunnel back at once when its connections died", async () => {
  const options: PairOptions = { flow: "reverse", target: target.at };
  const logs: LogRecord[] = [];
  const server = await keep(openServer(options, logs));
  const client = await keep(openClient(options, tunnelPort(server)));
  await client.ready();
  const user = await openUser(server);
  // Another handshake of a client with the same key, but another identity, while this one lives.
  const second = await keep(openClient(options, tunnelPort(server)));
  await eventually(() => expect(second.reason).toMatch(/409/));
  expect(client.state).toBe("running");
  user.write("y");
  expect(String(await readExactly(user, 1))).toBe("y");
  client.destroy();
  await second.ready();
  await server.ready();
  await expectServed(server);
});

describe("a client that is frozen", () => {
  test("is replaced by the second client, and what ran goes on when it wakes", async () => {
    const options: PairOptions = { flow: "reverse", target: target.at };
    const server = await keep(openServer(options));
    const frozen = await spawnClient(clientUrl(options, tunnelPort(server)));
    const user = await openUser(server);
    frozen.kill("SIGSTOP");
    const startedAt = performance.now();
    const second = await keep(openClient(options, tunnelPort(server)));
    await second.ready();
    await eventually(() => expect(server.state).toBe("running"));
    // Not the 15 s of a time-out: the server asks the old client when the new one knocks.
    expect(performance.now() - startedAt).toBeLessThan(5000);
    await expectServed(server);
    frozen.kill("SIGCONT");
    user.write("y");
    expect(String(await readExactly(user, 1))).toBe("y");
    await expectServed(server);
    expect(second.state).toBe("running");
  });

  test("is given up after some report intervals without a word", async () => {
    const options: PairOptions = {
      flow: "reverse",
      target: target.at,
      limits: { reportIntervalMs: 50 },
    };
    const server = await keep(openServer(options));
    const frozen = await spawnClient(clientUrl(options, tunnelPort(server)));
    frozen.kill("SIGSTOP");
    await eventually(() => expect(server.reason).toMatch(/nothing came/));
    frozen.kill("SIGCONT");
    await server.ready();
    await expectServed(server);
  });

  test("resets its users when it is killed", async () => {
    const options: PairOptions = { flow: "reverse", target: target.at };
    const server = await keep(openServer(options));
    const doomed = await spawnClient(clientUrl(options, tunnelPort(server)));
    const user = await openUser(server);
    const end = endOf(user);
    doomed.kill("SIGKILL");
    expect(await end).toMatch(/closed|ECONNRESET/);
    await eventually(() => expect(server.counters().tcps).toBe(0));
  });
});

describe.each(["reverse", "forward", "single"] as const)("close (%s)", (flow) => {
  async function running(): Promise<{ entryEnd: Tunnel; ends: Tunnel[]; user: Socket }> {
    const options: PairOptions = { flow, target: target.at };
    if (flow === "single") {
      const client = await keep(openClient(options, 0));
      return { entryEnd: client, ends: [client], user: await openUser(client) };
    }
    const server = await keep(openServer(options));
    const client = await keep(openClient(options, tunnelPort(server)));
    await client.ready();
    const entryEnd = flow === "reverse" ? server : client;
    return { entryEnd, ends: [server, client], user: await openUser(entryEnd) };
  }

  test("lets a running connection finish, and takes no new one", async () => {
    const { entryEnd, ends, user } = await running();
    const entry = entryOf(entryEnd);
    const closing = ends.map((end) => end.close({ timeoutMs: 20_000 }));
    for (const end of ends) expect(end.state).toBe("closing");
    await eventually(async () => {
      await expect(dial(entry)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    });
    user.write("y");
    expect(String(await readExactly(user, 1))).toBe("y");
    user.end();
    await Promise.all(closing);
    for (const end of ends) expect(end.state).toBe("closed");
    await target.close();
    target = await startScriptedTarget();
  });

  test("cuts it when the time is up", async () => {
    const { ends, user } = await running();
    const end = endOf(user);
    await Promise.all(ends.map((one) => one.close({ timeoutMs: 50 })));
    expect(await end).toBe("ECONNRESET");
    for (const one of ends) expect(one.state).toBe("closed");
  });

  test("destroy cuts it now; both may be called again", async () => {
    const { ends, user } = await running();
    const end = endOf(user);
    for (const one of ends) one.destroy(new Error("enough"));
    expect(await end).toBe("ECONNRESET");
    for (const one of ends) {
      expect(one.state).toBe("closed");
      one.destroy();
      await one.close();
      await one[Symbol.asyncDispose]();
    }
  });

  test("destroy during close cuts it", async () => {
    const { ends, user } = await running();
    const end = endOf(user);
    const closing = ends.map((one) => one.close({ timeoutMs: 20_000 }));
    for (const one of ends) one.destroy();
    expect(await end).toBe("ECONNRESET");
    await Promise.all(closing);
  });

  test("tells its last counters", async () => {
    const { entryEnd, user } = await running();
    const last = once(entryEnd, "checkpoint");
    user.destroy();
    await entryEnd.close({ timeoutMs: 1000 });
    const points: unknown[] = await last;
    expect(points[0]).toMatchObject({ tcprx: 1, tcptx: 1 });
  });
});

describe("states", () => {
  function statesOf(states: TunnelState[]) {
    return { onCreate: (tunnel: Tunnel) => void tunnel.on("state", (state) => states.push(state)) };
  }

  test("come in order at both ends", async () => {
    const options: PairOptions = { flow: "reverse", target: target.at };
    const atServer: TunnelState[] = [];
    const atClient: TunnelState[] = [];
    const server = await keep(
      openEnd("server://k@127.0.0.1:0/127.0.0.1:0?mode=1", [], statesOf(atServer)),
    );
    const clientOptions = { ...options, key: "k" };
    const url = clientUrl(clientOptions, tunnelPort(server));
    const client = await keep(openEnd(url, [], statesOf(atClient)));
    await client.ready();
    await client.close({ timeoutMs: 0 });
    await eventually(() => expect(server.state).toBe("error"));
    expect(server.reason).toMatch(/session ended/);
    const second = await keep(openEnd(url));
    await second.ready();
    await server.ready();
    await server.close({ timeoutMs: 0 });
    expect(atServer).toEqual(["running", "error", "running", "closing", "closed"]);
    expect(atClient).toEqual(["running", "closing", "closed"]);
  });

  test("a client without a server is in error and keeps trying", async () => {
    const server = await keep(openServer({ flow: "reverse", target: target.at }));
    const port = tunnelPort(server);
    server.destroy();
    const client = await keep(openClient({ flow: "reverse", target: target.at }, port));
    await eventually(() => expect(client.state).toBe("error"));
    expect(client.reason).toMatch(/ECONNREFUSED/);
  });

  test("ready rejects when the tunnel is closed, and when its signal is aborted", async () => {
    const client = await keep(openEnd("client://k@127.0.0.1:1/127.0.0.1:2?mode=2"));
    const abort = new AbortController();
    const aborted = client.ready({ signal: abort.signal });
    const closed = client.ready();
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    await client.close();
    await expect(closed).rejects.toMatchObject({ name: "TunnelError", code: "CLOSED" });
    await expect(client.ready()).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("a check point comes each report interval, with the mode", async () => {
    const server = await keep(
      openEnd("server://k@127.0.0.1:0/127.0.0.1:0?mode=1", [], {
        limits: { reportIntervalMs: 20 },
      }),
    );
    const points: unknown[] = [];
    server.on("checkpoint", (point) => points.push(point));
    await eventually(() => expect(points.length).toBeGreaterThan(2));
    expect(points[0]).toEqual({
      mode: 1,
      tcps: 0,
      udps: 0,
      tcprx: 0,
      tcptx: 0,
      udprx: 0,
      udptx: 0,
      udpDropped: 0,
      accepted: 0,
      failed: 0,
      refusedSlot: 0,
      ...{
        refusedSlotip: 0,
        refusedDenied: 0,
        refusedBanned: 0,
        refusedProxied: 0,
        refusedName: 0,
      },
      refusedBlocked: 0,
      refusedPeer: 0,
      dialErrors: 0,
      handshakesRefused: 0,
      reconnects: 0,
      pool: 0,
      ping: 0,
    });
  });
});
