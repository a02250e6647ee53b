import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HELLO_BYTES } from "../../src/wire/pool-hello.ts";
import {
  FRAME_DATA,
  FRAME_FIN,
  FRAME_OPEN_TCP,
  FRAME_OPEN_UDP,
  openFrame,
  streamHeader,
} from "../../src/wire/stream-frame.ts";
import { expectNoSockets } from "../support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import { entryOf, eventually, openServer, tunnelPort } from "../support/tunnel-pair.ts";
import { dial, endOf, endUsers } from "../support/users.ts";
import { expectLogged } from "./support/log-search.ts";
import { ScriptedClient, type ScriptedConnection } from "./support/scripted-client.ts";

const KEY = "correct-horse-battery";
const REMOTE = "192.0.2.1:5";

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

afterEach(async () => {
  endUsers();
  client.close();
  await server.close({ timeoutMs: 0 });
});

async function meet(flow: "reverse" | "forward", extensions?: readonly string[]): Promise<void> {
  logs = [];
  target.connections = 0;
  const options = { flow, target: target.at, key: KEY, query: "max=4" };
  // The scripted client sends no pings, and a busy machine takes its time.
  server = await openServer({ ...options, limits: { reportIntervalMs: 20_000 } }, logs);
  client = await ScriptedClient.meet({ port: tunnelPort(server), key: KEY, extensions });
  await eventually(() => expect(server.state).toBe("running"));
}

const data = (text: string) =>
  Buffer.concat([streamHeader(FRAME_DATA, text.length), Buffer.from(text)]);
const fin = streamHeader(FRAME_FIN, 0);
const open = (remote = REMOTE) => openFrame(FRAME_OPEN_TCP, remote);

/** Whether the server has admitted it. */
async function expectAdmitted(count: number): Promise<void> {
  await eventually(() => expect(server.counters().pool).toBe(count));
}

/** The session has survived: a connection with a fresh counter is admitted. */
async function expectSessionStands(counter: number): Promise<ScriptedConnection> {
  const before = server.counters().pool;
  const connection = await client.open(counter);
  await expectAdmitted(before + 1);
  expect(client.control?.socket.closed).toBe(false);
  return connection;
}

describe("a pool hello", () => {
  beforeEach(() => meet("reverse"));

  test("with a guessed MAC is refused, whatever its counter", async () => {
    for (const counter of [1, 2, 0xffff_ffff]) {
      const guess = client.hello(counter);
      guess[29] = (guess[29] ?? 0) ^ 1;
      const connection = await client.open(guess);
      await connection.closed;
    }
    await expectLogged(logs, "pool connection refused: wrong proof");
    // None of the guesses has used a counter up or moved the window.
    await expectSessionStands(1);
  });

  test("may come in any two parts", async () => {
    for (let cut = 1; cut < HELLO_BYTES; cut++) {
      const hello = client.hello(cut);
      const { socket } = await client.open(hello.subarray(0, cut));
      await sleep(5);
      socket.write(hello.subarray(cut));
      await expectAdmitted(cut);
    }
  });

  test("of another session id is refused", async () => {
    const other = client.hello(1);
    other[2] = (other[2] ?? 0) ^ 1;
    await (await client.open(other)).closed;
    await expectLogged(logs, "pool connection refused: not of the present session");
  });

  test("is good once, also after its connection's end", async () => {
    const first = await client.open(1);
    await expectAdmitted(1);
    await (await client.open(1)).closed;
    first.socket.destroy();
    await expectAdmitted(0);
    await (await client.open(1)).closed;
    await expectLogged(logs, "pool connection refused: its hello was used before");
    await expectSessionStands(2);
  });

  test("for 00000000 again is refused: the control connection is never data", async () => {
    await (await client.open(0)).closed;
    await expectLogged(logs, "its hello was used before");
    await expectSessionStands(1);
  });

  test("far behind the highest counter is refused", async () => {
    await client.open(100_000);
    await expectAdmitted(1);
    await (await client.open(100_000 - 65_536)).closed;
    await client.open(100_000 - 65_535);
    await expectAdmitted(2);
  });

  test("over twice the pool's size and the room for those under way is refused", async () => {
    // Twice max, which is 4, and the 512 that the client may have given to users already.
    const most = 2 * 4 + 512;
    const all = await Promise.all(Array.from({ length: most + 4 }, (_, at) => client.open(at + 1)));
    await expectAdmitted(most);
    await eventually(() => expect(all.filter(({ socket }) => socket.closed).length).toBe(4));
    await expectLogged(logs, "pool connection refused: the pool is full");
  });

  test("of the session before is refused once another client has the tunnel", async () => {
    const before = client;
    const again = client.hello(7);
    before.close();
    client = await ScriptedClient.meet({ port: tunnelPort(server), key: KEY });
    await (await client.open(again)).closed;
    await expectLogged(logs, "not of the present session");
  });
});

describe("at the entry", () => {
  beforeEach(() => meet("reverse"));

  test.each([
    ["an open frame", () => open()],
    ["a UDP open frame", () => openFrame(FRAME_OPEN_UDP, REMOTE)],
    ["data while idle", () => data("unasked")],
    ["a fin while idle", () => fin],
    ["an unknown frame", () => Buffer.from("ff000000", "hex")],
  ])("%s resets that pool connection and nothing else", async (_what, bytes) => {
    const connection = await client.open(1);
    await expectAdmitted(1);
    connection.socket.write(bytes());
    await connection.closed;
    await expectAdmitted(0);
    await expectLogged(logs, "pool connection broke the rules of frames");
    await expectSessionStands(2);
  });

  test("an answer before the question never reaches the next user", async () => {
    const connection = await client.open(1);
    await expectAdmitted(1);
    const first = await dial(entryOf(server));
    const ended = endOf(first);
    await once(connection.socket, "data");
    // The answer to the first user, its end, and more than it asked for.
    connection.socket.write(Buffer.concat([data("mine"), fin, data("for the next user")]));
    first.end();
    await ended;
    expect(first.bytesRead).toBe(4);
    await connection.closed;
    const second = await dial(entryOf(server));
    await client.open(2);
    second.resume();
    await eventually(() => expect(server.counters().tcps).toBe(1));
    expect(second.bytesRead).toBe(0);
  });

  test("an end in the middle is a reset for the user, not an end", async () => {
    const connection = await client.open(1);
    await expectAdmitted(1);
    const user = await dial(entryOf(server));
    const ended = endOf(user);
    await once(connection.socket, "data");
    connection.socket.end(data("half of the ans"));
    expect(await ended).toBe("ECONNRESET");
  });
});

describe("at the exit", () => {
  beforeEach(() => meet("forward"));

  test.each([
    ["data while idle", () => [data("unasked")]],
    ["a fin while idle", () => [fin]],
    ["an open frame inside a connection", () => [open(), data("x"), open()]],
    ["two fins", () => [open(), fin, fin]],
    ["data after the fin", () => [open(), data("x"), fin, data("late")]],
    ["an address that is none", () => [open("root@localhost\nforged log line")]],
    ["an address without a port", () => [open("192.0.2.1")]],
    ["a name for an address", () => [open("example.test:80")]],
  ])("%s resets that pool connection and nothing else", async (_what, frames) => {
    const connection = await client.open(1);
    await expectAdmitted(1);
    connection.socket.write(Buffer.concat(frames()));
    await connection.closed;
    await eventually(() => expect(server.counters()).toMatchObject({ tcps: 0, pool: 0 }));
    await expectLogged(logs, "pool connection broke the rules of frames");
    expect(JSON.stringify(logs)).not.toContain("forged");
    await expectSessionStands(2);
  });

  test("10,000 open frames at once open one connection and reset it", async () => {
    const connection = await client.open(1);
    await expectAdmitted(1);
    connection.socket.write(Buffer.concat(Array.from({ length: 10_000 }, () => open())));
    await connection.closed;
    await eventually(() => expect(server.counters().tcps).toBe(0));
    expect(target.connections).toBeLessThanOrEqual(1);
    await expectSessionStands(2);
  });

  test("500 connections in one write are served one after the other", async () => {
    const connection = await client.open(1);
    await expectAdmitted(1);
    const one = Buffer.concat([open(), data("x"), fin]);
    connection.socket.write(Buffer.concat(Array.from({ length: 500 }, () => one)));
    const answers = 500 * (data("x").length + fin.length);
    await eventually(() => expect(connection.received().length).toBe(answers));
    expect(target.connections).toBe(500);
    await expectAdmitted(1);
  });
});

describe("without streams, at the exit", () => {
  beforeEach(() => meet("forward", ["datagrams"]));

  const claim = (id: string) => client.line({ action: "tcp", remote: REMOTE, id });

  test("a signal for 00000000, or for an id that nobody has, opens nothing", async () => {
    const connection = await client.open(1);
    await expectAdmitted(1);
    client.control?.socket.write(claim("00000000") + claim("00000002"));
    await eventually(() => expect(target.connections).toBe(2));
    client.control?.socket.write(client.line({ action: "ping" }));
    await eventually(() => expect(client.control?.received().length).toBeGreaterThan(0));
    expect(connection.socket.closed).toBe(false);
    expect(client.control?.socket.closed).toBe(false);
    await expectAdmitted(1);
  });

  test("an id that is claimed twice, or after its end, is served once", async () => {
    const connection = await client.open(1);
    await expectAdmitted(1);
    client.control?.socket.write(claim("00000001") + claim("00000001"));
    connection.socket.write("mine");
    await eventually(() => expect(String(connection.received())).toBe("mine"));
    connection.socket.end();
    await connection.closed;
    client.control?.socket.write(claim("00000001"));
    await (await client.open(1)).closed;
    await expectSessionStands(2);
  });
});
