import { randomBytes } from "node:crypto";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectNoSockets } from "../support/no-leaks.ts";
import { echoTcp, type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import {
  clientUrl,
  entryOf,
  eventually,
  openEnd,
  openServer,
  type PairOptions,
  tunnelPort,
} from "../support/tunnel-pair.ts";
import { dial, digest, echo, endOf, endUsers } from "../support/users.ts";
import {
  type Trial,
  tryCrowd,
  tryDatagrams,
  tryEchoes,
  tryHalfClose,
  tryMany,
  tryPassersBy,
  tryResets,
  trySlowReaders,
  tryTalk,
} from "./support/fragment-trials.ts";
import {
  type FragmentingPath,
  openFragmentingPath,
  type Pace,
} from "./support/fragmenting-path.ts";

/** Long: a busy machine that cuts everything into bytes is no lost peer. */
const LIMITS = { reportIntervalMs: 2_000 };
/** A byte a turn is slow: few of them are enough to cut everything that has a format. */
const FEW = { bytes: 2_000, datagrams: [0, 1, 1200], burst: 40, users: 10 };
const MANY = { bytes: 2_000_000, datagrams: [0, 1, 1200, 9013, 65_507], burst: 500, users: 50 };
const FLOWS = ["reverse", "forward"] as const;

const PACES: { name: string; pace: Pace; load: typeof FEW }[] = [
  { name: "single bytes", pace: { cut: 1 }, load: FEW },
  { name: "pieces", pace: { cut: 65_536 }, load: MANY },
  { name: "heaps", pace: "coalesce", load: MANY },
];

const MATRIX = ([0, 2] as const).flatMap((type) =>
  // Pieces and heaps are TCP's own matter: what reads a WebSocket keeps state byte by byte.
  (type === 0 ? PACES : PACES.slice(0, 1)).flatMap((pace) =>
    FLOWS.flatMap((flow) => ([0, 1] as const).map((tls) => ({ ...pace, type, flow, tls }))),
  ),
);

interface Between {
  readonly server: Tunnel;
  readonly client: Tunnel;
  readonly path: FragmentingPath;
  readonly logs: LogRecord[];
  close(): Promise<void>;
}

/** Both ends, and a path that all their connections go through. */
async function openBetween(options: PairOptions, pace: Pace, seed: number): Promise<Between> {
  const logs: LogRecord[] = [];
  const server = await openServer({ ...options, limits: LIMITS }, logs);
  const path = await openFragmentingPath({ to: tunnelPort(server), pace, seed });
  const client = await openEnd(clientUrl(options, path.port), logs, { limits: LIMITS });
  const close = async (): Promise<void> => {
    await client.close({ timeoutMs: 0 });
    await path.close();
    await server.close({ timeoutMs: 0 });
  };
  await client.ready();
  return { server, client, path, logs, close };
}

let target: ScriptedTarget;

beforeAll(async () => {
  target = await startScriptedTarget();
});

afterEach(endUsers);

afterAll(async () => {
  await target.close();
  await expectNoSockets();
});

describe.each(MATRIX)("in $name, type $type, flow $flow, tls $tls", (one) => {
  const { pace, load, type, flow, tls } = one;
  const seed = 1 + tls;
  let between: Between;
  let trial: Trial;

  beforeAll(async () => {
    const query = flow === "forward" ? "compat=0" : undefined;
    const serverQuery = `type=${type}`;
    between = await openBetween({ flow, tls, target: target.at, query, serverQuery }, pace, seed);
    const { server, client } = between;
    await eventually(() => expect(server.counters().pool).toBeGreaterThan(0));
    trial = { entry: entryOf(flow === "reverse" ? server : client), target, seed };
  });

  afterAll(() => between?.close());

  test("carries connections of every size", () =>
    tryEchoes(trial, [0, 1, 1000, load.bytes / 20, load.bytes]));
  test("carries connections one after another", () => tryMany(trial, 4));
  test("carries a talk of both sides", () => tryTalk(trial, 5));
  test("passes on FINs", () => tryHalfClose(trial, load.bytes / 20));
  test("passes on resets", () => tryResets(trial));
  test("waits for slow readers", () => trySlowReaders(trial, load.bytes));
  test("keeps users apart, however they end", () => tryCrowd(trial, load.users, load.bytes / 100));
  test("carries datagrams whole", () => tryDatagrams(trial, load.datagrams, load.burst));
  test("survives users who are gone at once", () => tryPassersBy(trial, 10));

  test("has nothing left and nothing to complain of", async () => {
    const { server, client, path, logs } = between;
    await eventually(() => {
      expect(server.counters()).toMatchObject({ tcps: 0, udpDropped: 0 });
      expect(client.counters()).toMatchObject({ tcps: 0, udpDropped: 0 });
    });
    expect(logs.filter(({ level }) => level !== "info")).toEqual([]);
    expect([server.state, client.state]).toEqual(["running", "running"]);
    // Everything went through the path, and pool connections were used again.
    const { tcprx, tcptx } = client.counters();
    if (pace !== "coalesce") expect(path.pieces).toBeGreaterThan((tcprx + tcptx) / pace.cut);
    expect(path.connections).toBeGreaterThan(8);
  });
});

describe.each(FLOWS)("with a user and a target that send bit by bit, flow %s", (flow) => {
  const open: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const thing of open.splice(0).reverse()) await thing.close();
  });

  /** Paths before the entry and before the target, and the one between the ends. */
  async function openCutEverywhere(query: string, cut: number, tls: 0 | 1): Promise<Trial> {
    const rear = await openFragmentingPath({ to: target.port, pace: { cut }, seed: 5 });
    open.push(rear);
    const options = { flow, tls, target: `127.0.0.1:${rear.port}`, query };
    const between = await openBetween(options, { cut: 10 * cut }, 6);
    open.push(between);
    const { port } = entryOf(flow === "reverse" ? between.server : between.client);
    const front = await openFragmentingPath({ to: port, pace: { cut }, seed: 7 });
    open.push(front);
    return { entry: { host: "127.0.0.1", port: front.port }, target, seed: 8 };
  }

  test.each([0, 1] as const)("carries what they say (tls %i)", async (tls) => {
    const trial = await openCutEverywhere("slot=100", 20, tls);
    await tryEchoes(trial, [0, 1, 100, 2000]);
    await tryTalk(trial, 3);
    await tryHalfClose(trial, 1000);
    await tryResets(trial);
    await tryCrowd(trial, 10, 1000);
  });

  test("sends the PROXY header whole and first", async () => {
    const trial = await openCutEverywhere("proxy=1", 3, 0);
    target.onTcp = echoTcp;
    const answer = await echo(trial.entry, Buffer.from("hello"));
    expect(String(answer)).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nhello$/);
  });

  test("refuses blocked protocols and no others", async () => {
    const trial = await openCutEverywhere("block=123", 1, 0);
    target.onTcp = echoTcp;
    const allowed = Buffer.from("GETAWAY, said \x05 who was no SOCKS client\r\n");
    expect(digest(await echo(trial.entry, allowed))).toBe(digest(allowed));
    let reached = 0;
    target.onTcp = (socket) => {
      socket.on("data", () => reached++);
    };
    const greetings = [
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\x05\x01\x00",
      "\x16\x03\x01\x02\x00\x01",
    ];
    for (const greeting of greetings) {
      const user = await dial(trial.entry);
      const end = endOf(user);
      user.write(Buffer.from(greeting, "latin1"));
      expect(await end).toBe("ECONNRESET");
    }
    expect(reached).toBe(0);
  });

  test.each([0, 1] as const)("keeps to a rate and loses nothing (tls %i)", async (tls) => {
    const trial = await openCutEverywhere("rate=16", 6_500, tls);
    target.onTcp = echoTcp;
    const payloads = [400_000, 300_000, 5].map((size) => randomBytes(size));
    const began = performance.now();
    const answers = await Promise.all(payloads.map((payload) => echo(trial.entry, payload)));
    expect(answers.map(digest)).toEqual(payloads.map(digest));
    // 0.7 MB at 2 MB/s, less what may go at once.
    expect(performance.now() - began).toBeGreaterThan(200);
  });
});
