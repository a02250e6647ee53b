import { once } from "node:events";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { signalKeyBytes } from "../../src/wire/signal.ts";
import { SignalDecoder } from "../../src/wire/signal-decoder.ts";
import { expectNoSockets } from "../support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import { eventually, openServer, tunnelPort } from "../support/tunnel-pair.ts";
import { expectLogged, expectSilentAbout } from "./support/log-search.ts";
import { ScriptedClient } from "./support/scripted-client.ts";

const KEY = "correct-horse-battery";
const MANY = 10_000;

let target: ScriptedTarget;
let server: Tunnel;
let client: ScriptedClient;
let logs: LogRecord[];

beforeAll(async () => {
  target = await startScriptedTarget();
});

afterAll(async () => {
  await target.close();
  await expectNoSockets();
});

beforeEach(async () => {
  logs = [];
  target.connections = 0;
  // The server is the exit: it takes every kind of signal.
  const limits = { poolGetTimeoutMs: 300, handshakeTimeoutMs: 2000 };
  server = await openServer({ flow: "forward", target: target.at, key: KEY, limits }, logs);
  client = await ScriptedClient.meet({
    port: tunnelPort(server),
    key: KEY,
    extensions: ["datagrams"],
  });
});

afterEach(async () => {
  client.close();
  await server.close({ timeoutMs: 0 });
});

function send(bytes: string | Buffer): void {
  client.control?.socket.write(bytes);
}

/** The session answers on its control connection. */
async function expectAlive(): Promise<void> {
  const before = pongs();
  send(client.line({ action: "ping" }));
  await eventually(() => expect(pongs()).toBeGreaterThan(before));
}

function pongs(): number {
  const decoder = new SignalDecoder(client.signalKey);
  const heard = decoder.push(client.control?.received() ?? Buffer.alloc(0));
  return heard.filter(({ action }) => action === "pong").length;
}

/** A line that says `json`, whatever that is. */
function line(json: string): string {
  const key = signalKeyBytes(client.signalKey);
  const masked = Buffer.from(json).map((byte, at) => byte ^ (key[at % key.length] ?? 0));
  return `${Buffer.from(masked).toString("base64")}\n`;
}

/** The session ends, the server lives and takes the next client. */
async function expectEnded(reason: string | RegExp): Promise<void> {
  await client.control?.closed;
  await expectLogged(logs, reason);
  expectSilentAbout(logs, [KEY, client.signalKey]);
  client.close();
  client = await ScriptedClient.meet({ port: tunnelPort(server), key: KEY });
  await expectAlive();
}

describe("the session ends, with the reason in the log and no secret, at", () => {
  test.each([
    ["bytes that are no base64", () => "!!!!\n", "signal is no base64"],
    ["an empty line", () => "\n", /signal of 0 bytes is no base64/],
    // Under XOR zeros would print the key.
    ["zeros", () => `${Buffer.alloc(96).toString("base64")}\n`, "signal is no JSON"],
    ["random bytes", () => Buffer.from("00ff10fe20fd0a", "hex"), /signal .*no base64/],
    ["a number", () => line("1"), "signal is no JSON object"],
    ["a list", () => line("[]"), "signal is no JSON object"],
    ["no action", () => line("{}"), "action of a signal is no text"],
    [
      "an id that is none",
      () => line('{"action":"tcp","remote":"192.0.2.1:5","id":"../../etc"}'),
      "id of signal tcp is not 8 lower-case hex digits",
    ],
    [
      "a remote that is none",
      () => line('{"action":"tcp","remote":"a\\nb:1","id":"00000001"}'),
      "remote of signal tcp is no ip:port",
    ],
    ["a line under another key", () => "CEcCEREdHAtBSEcEGgsEUBg=\n", "signal is no JSON"],
  ])("%s", async (_what, bytes, reason) => {
    send(bytes());
    await expectEnded(reason);
  });

  test("a line without end, after 4 KiB of it", async () => {
    const socket = client.control?.socket;
    if (socket === undefined) throw new Error("no control connection");
    socket.write(Buffer.alloc(1024 * 1024, "A"));
    await expectEnded(/more than maxLineBytes 4096/);
  });
});

describe("the session goes on after", () => {
  test("unknown actions, of which a few are logged, as printable text", async () => {
    send(line('{"action":"new\\u001b[31m thing","x":1}').repeat(MANY));
    await expectAlive();
    const said = logs.filter(({ message }) => message === "unknown signal ignored");
    expect(said.length).toBe(3);
    expect(said[0]?.fields.action).toBe("new?[31m?thing");
  });

  test("ten thousand pings at once, each answered", async () => {
    send(client.line({ action: "ping" }).repeat(MANY));
    await eventually(() => expect(pongs()).toBeGreaterThanOrEqual(MANY));
  });

  test("pongs that nobody asked for", async () => {
    send(client.line({ action: "pong" }).repeat(MANY));
    await expectAlive();
  });

  test("a flush storm, which says so a few times in the log", async () => {
    const connections = await Promise.all([1, 2, 3].map((counter) => client.open(counter)));
    await eventually(() => expect(server.counters().pool).toBe(3));
    send(client.line({ action: "flush" }).repeat(MANY));
    await Promise.all(connections.map(({ closed }) => closed));
    await expectAlive();
    await client.open(4);
    await eventually(() => expect(server.counters().pool).toBe(1));
    const said = logs.filter(({ message }) => message === "pool flushed by the peer");
    expect(said.length).toBeLessThanOrEqual(3);
  });

  test("verify signals, which a proved session has no use for", async () => {
    send(client.line({ action: "verify", id: "00000001", fp: "" }).repeat(100));
    await expectAlive();
    await expectLogged(logs, "verify signal in a session without a check");
  });

  test("tcp signals for ids that do not exist: nothing of them is left", async () => {
    const ids = Array.from({ length: 300 }, (_, at) => (at + 100).toString(16).padStart(8, "0"));
    send(ids.map((id) => client.line({ action: "tcp", remote: "192.0.2.1:5", id })).join(""));
    await expectLogged(logs, "no pool connection for a tcp signal");
    await eventually(() => expect(server.counters()).toMatchObject({ tcps: 0, udps: 0 }));
    await expectAlive();
  });

  test("udp signals for ids that do not exist: nothing of them is left", async () => {
    const ids = Array.from({ length: 100 }, (_, at) => (at + 100).toString(16).padStart(8, "0"));
    send(ids.map((id) => client.line({ action: "udp", remote: "192.0.2.1:5", id })).join(""));
    await eventually(() => expect(server.counters().udps).toBeGreaterThan(0));
    await eventually(() => expect(server.counters()).toMatchObject({ tcps: 0, udps: 0 }));
    await expectAlive();
  });
});

test("ten thousand tcp signals at once are bounded by slot", async () => {
  client.close();
  await server.close({ timeoutMs: 0 });
  const limits = { poolGetTimeoutMs: 300 };
  const options = { flow: "forward" as const, target: target.at, key: KEY, limits };
  server = await openServer({ ...options, query: "slot=50" }, logs);
  client = await ScriptedClient.meet({ port: tunnelPort(server), key: KEY, extensions: [] });
  const ids = Array.from({ length: MANY }, (_, at) => (at + 1).toString(16).padStart(8, "0"));
  send(ids.map((id) => client.line({ action: "tcp", remote: "192.0.2.1:5", id })).join(""));
  await expectLogged(logs, "connection refused: all slots are taken");
  await expectAlive();
  await eventually(() => expect(server.counters().tcps).toBe(0));
  // A burst may be read in several turns; slots that were free again by then may be taken again.
  expect(target.connections).toBeLessThan(MANY / 10);
  // The session still serves.
  const own = await client.open(20_000);
  await eventually(() => expect(server.counters().pool).toBe(1));
  send(client.line({ action: "tcp", remote: "192.0.2.1:5", id: "00004e20" }));
  own.socket.write("mine");
  await once(own.socket, "data");
  expect(String(own.received())).toBe("mine");
});
