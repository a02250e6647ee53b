import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectNoSockets } from "../support/no-leaks.ts";
import { echoTcp, type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import { eventually } from "../support/tunnel-pair.ts";
import { dial, endOf, endUsers } from "../support/users.ts";
import { EndProcess } from "./support/end-process.ts";
import { expectLogged, logged } from "./support/log-search.ts";
import { SteadyUsers } from "./support/steady-users.ts";

const KEY = "correct-horse-battery";
const LIMITS = { reportIntervalMs: 400, serviceCooldownMs: 200 };
const RATE = 50;
type Flow = "reverse" | "forward";

let target: ScriptedTarget;
let ends: EndProcess[] = [];

beforeAll(async () => {
  target = await startScriptedTarget();
});

afterEach(async () => {
  endUsers();
  for (const end of ends) await end.kill();
  ends = [];
  target.onTcp = echoTcp;
});

afterAll(async () => {
  await target.close();
  await expectNoSockets();
});

async function open(url: string, limits = {}, wrapper?: readonly string[]): Promise<EndProcess> {
  const end = await EndProcess.open(url, { ...LIMITS, ...limits }, { wrapper });
  ends.push(end);
  return end;
}

/** The fixed ports that a restarted end needs. */
interface Ports {
  tunnel: number;
  entry: number;
}

function serverUrl(flow: Flow, ports: Ports, query = ""): string {
  const at = flow === "reverse" ? `127.0.0.1:${ports.entry}` : target.at;
  return `server://${KEY}@127.0.0.1:${ports.tunnel}/${at}?mode=${flow === "reverse" ? 1 : 2}${query}`;
}

function clientUrl(flow: Flow, ports: Ports, query = ""): string {
  const at = flow === "reverse" ? target.at : `127.0.0.1:${ports.entry}`;
  return `client://${KEY}@127.0.0.1:${ports.tunnel}/${at}?mode=2&min=8${query}`;
}

async function entryPortOf(end: EndProcess): Promise<number> {
  return eventually(async () => {
    const { entryPort } = await end.stats();
    if (entryPort === undefined) throw new Error("no entry yet");
    return entryPort;
  });
}

/** Two processes, joined. */
async function openPair(flow: Flow, query = "", limits = {}) {
  const ports: Ports = { tunnel: 0, entry: 0 };
  const server = await open(serverUrl(flow, ports, query), limits);
  ports.tunnel = server.tunnelPort;
  const client = await open(clientUrl(flow, ports), limits);
  ports.entry = await entryPortOf(flow === "reverse" ? server : client);
  await eventually(async () => {
    expect((await server.stats()).counters?.pool).toBeGreaterThan(0);
    expect((await client.stats()).counters?.pool).toBeGreaterThan(0);
  });
  return { ports, server, client, entry: { host: "127.0.0.1", port: ports.entry } };
}

/** Users who stay: what they had open is cut by a kill. */
async function openLasting(
  entry: { host: string; port: number },
  count: number,
): Promise<Socket[]> {
  const users = await Promise.all(Array.from({ length: count }, () => dial(entry)));
  await Promise.all(
    users.map(async (user) => {
      const answered = once(user, "data");
      user.write("hello");
      await answered;
    }),
  );
  return users;
}

/** An echo on a port that can be taken again. */
async function startEcho(port: number): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
    echoTcp(socket);
  });
  listener.listen(port, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: async () => {
      const closed = once(listener, "close");
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function report(text: string): void {
  process.stdout.write(`faults: ${text}\n`);
}

describe.each(["reverse", "forward"] as const)("%s flow: kill -9 of", (flow) => {
  test.each(["client", "server"] as const)(
    "the %s, and its return, cost the connections that were open and no other",
    async (victim) => {
      const pair = await openPair(flow);
      const users = new SteadyUsers({ entry: pair.entry, rate: RATE });
      await users.run(300);
      const lasting = await openLasting(pair.entry, 10);
      const ended = lasting.map(endOf);
      const killedAt = performance.now();
      await pair[victim].kill();
      // All who were open are told.
      await Promise.all(ended);
      await sleep(300);
      const returningAt = performance.now();
      const url = victim === "server" ? serverUrl(flow, pair.ports) : clientUrl(flow, pair.ports);
      const again = await open(url);
      const listensAt = performance.now();
      await eventually(() => expect(users.firstServedAfter(listensAt)).toBeGreaterThan(0));
      await users.run(300);
      await users.stop();
      const survivor = victim === "server" ? pair.client : pair.server;
      const entryDied = (victim === "server") === (flow === "reverse");
      const lost = users.failed.filter(({ failure }) => failure !== "ECONNREFUSED");
      const refused = users.failed.length - lost.length;
      const backMs = users.firstServedAfter(returningAt) ?? Number.NaN;
      report(
        `${flow}, ${victim} killed: served ${backMs.toFixed(0)} ms after its start (process included), ${(users.firstServedAfter(listensAt) ?? Number.NaN).toFixed(0)} ms after it was open; ${users.records.length} users: ${lost.length} cut, ${refused} refused while no entry listened`,
      );
      // Those who are cut were begun before the kill, or in the moment until it was noticed.
      const noticed = killedAt + 250;
      expect(lost.filter(({ begunAt }) => begunAt > noticed)).toEqual([]);
      if (!entryDied) expect(refused).toBe(0);
      // Who came once it was back was served; a client listens for users when it is connected.
      const servedAt = listensAt + (users.firstServedAfter(listensAt) ?? 0);
      expect(users.failed.filter(({ begunAt }) => begunAt > servedAt)).toEqual([]);
      expect((await survivor.stats()).counters?.tcps).toBe(0);
      expect((await again.stats()).counters?.tcps).toBe(0);
    },
  );
});

test("a frozen client that wakes before it is given up loses nobody", async () => {
  const pair = await openPair("reverse", "", { reportIntervalMs: 1000 });
  const lasting = await openLasting(pair.entry, 5);
  pair.client.signal("SIGSTOP");
  const users = new SteadyUsers({ entry: pair.entry, rate: RATE });
  await users.run(500);
  pair.client.signal("SIGCONT");
  await users.run(300);
  await users.stop();
  expect(users.failed).toEqual([]);
  for (const user of lasting) {
    const answered = once(user, "data");
    user.write("still");
    await answered;
  }
});

test("a frozen client that is given up comes back by itself when it wakes", async () => {
  const pair = await openPair("reverse");
  const lasting = await openLasting(pair.entry, 5);
  pair.client.signal("SIGSTOP");
  await eventually(() => {
    expect(logged(pair.server.logs, "nothing came from the peer")).toBe(true);
  });
  const wokenAt = performance.now();
  pair.client.signal("SIGCONT");
  const users = new SteadyUsers({ entry: pair.entry, rate: RATE });
  users.start();
  await eventually(() => expect(users.firstServedAfter(wokenAt)).toBeGreaterThan(0));
  await users.stop();
  expect(users.failed).toEqual([]);
  report(`frozen client woken: served after ${users.firstServedAfter(wokenAt)?.toFixed(0)} ms`);
  // What ran on old pool connections goes on.
  for (const user of lasting) {
    const answered = once(user, "data");
    user.write("still");
    await answered;
  }
});

test("a second client takes over while the first is frozen", async () => {
  const pair = await openPair("reverse", "", { reportIntervalMs: 5000 });
  pair.client.signal("SIGSTOP");
  const users = new SteadyUsers({ entry: pair.entry, rate: RATE });
  const cameAt = performance.now();
  await open(clientUrl("reverse", pair.ports));
  const openAt = performance.now();
  users.start();
  await eventually(() => expect(users.firstServedAfter(cameAt)).toBeGreaterThan(0));
  await eventually(() => {
    expect(logged(pair.server.logs, "taken over")).toBe(true);
  });
  report(
    `second client beside a frozen one: served after ${(users.firstServedAfter(openAt) ?? 0).toFixed(0)} ms`,
  );
  pair.client.signal("SIGCONT");
  await users.run(300);
  await users.stop();
  // The first may not take it back.
  await expectLogged(pair.client.logs, /409 another client has the tunnel/);
});

test("a target that goes down costs those who need it, and is served again when it is back", async () => {
  const brief = await startEcho(0);
  const ports = { tunnel: 0, entry: 0 };
  const server = await open(serverUrl("reverse", ports));
  const url = `client://${KEY}@127.0.0.1:${server.tunnelPort}/127.0.0.1:${brief.port}?mode=2`;
  const client = await open(url);
  const entry = { host: "127.0.0.1", port: server.entryPort };
  const users = new SteadyUsers({ entry, rate: RATE });
  await users.run(300);
  await brief.close();
  const downAt = performance.now();
  await eventually(() => expect(users.failed.length).toBeGreaterThan(5));
  expect(users.failed.every(({ failure }) => failure === "ECONNRESET")).toBe(true);
  const back = await startEcho(brief.port);
  const backAt = performance.now();
  await eventually(() => expect(users.firstServedAfter(backAt)).toBeGreaterThan(0));
  await users.run(200);
  await users.stop();
  await back.close();
  expect(users.failed.every(({ begunAt }) => begunAt > downAt - 500 && begunAt < backAt)).toBe(
    true,
  );
  expect(client.logs.filter(({ level }) => level === "error").length).toBeLessThanOrEqual(6);
  expect(client.state).toBe("running");
});

test("a target that accepts and never answers holds its users only", async () => {
  const held: Socket[] = [];
  target.onTcp = (socket) => void held.push(socket);
  const pair = await openPair("reverse");
  const stuck = await Promise.all(Array.from({ length: 50 }, () => dial(pair.entry)));
  await eventually(() => expect(held.length).toBe(50));
  target.onTcp = echoTcp;
  const users = new SteadyUsers({ entry: pair.entry, rate: RATE });
  await users.run(500);
  await users.stop();
  expect(users.failed).toEqual([]);
  for (const user of stuck) user.resetAndDestroy();
  await eventually(async () => {
    expect((await pair.server.stats()).counters?.tcps).toBe(0);
    expect((await pair.client.stats()).counters?.tcps).toBe(0);
  });
});

// Reads /proc or uses tools that only Linux has.
test.skipIf(process.platform !== "linux").each(["server", "client"] as const)(
  "a %s without file descriptors keeps what it has and serves again when some are free",
  async (victim) => {
    const limits = { poolGetTimeoutMs: 1000 };
    const wrapper = (end: string) => (end === victim ? ["prlimit", "--nofile=256"] : undefined);
    const at = serverUrl("reverse", { tunnel: 0, entry: 0 });
    const server = await open(at, limits, wrapper("server"));
    const to = clientUrl("reverse", { tunnel: server.tunnelPort, entry: 0 });
    const client = await open(to, limits, wrapper("client"));
    const entry = { host: "127.0.0.1", port: server.entryPort };
    await eventually(() => expect(client.state).toBe("running"));
    const lasting = await openLasting(entry, 5);
    const crowd = await Promise.all(Array.from({ length: 400 }, () => dial(entry)));
    for (const user of crowd) user.on("error", () => {});
    await sleep(500);
    for (const user of crowd) user.destroy();
    const releasedAt = performance.now();
    const users = new SteadyUsers({ entry, rate: RATE });
    users.start();
    await eventually(() => expect(users.firstServedAfter(releasedAt)).toBeGreaterThan(0));
    await users.run(300);
    await users.stop();
    report(
      `256 descriptors, 400 users: served ${users.firstServedAfter(releasedAt)?.toFixed(0)} ms after their release`,
    );
    for (const user of lasting) {
      const answered = once(user, "data");
      user.write("still");
      await answered;
    }
    const starved = victim === "server" ? server : client;
    const complaints = starved.logs.filter(({ level }) => level === "error" || level === "warn");
    report(`256 descriptors at the ${victim}: ${complaints.length} lines in its log`);
    expect(complaints.length).toBeLessThan(10);
    expect(starved.output).toBe("");
    expect(logged(server.logs, "session ended")).toBe(false);
  },
);
