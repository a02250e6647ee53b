import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Peer114Server } from "./peer-114/index.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { type RawClient, startRawClient } from "./support/raw-client.ts";
import { type ScriptedTarget, startScriptedTarget } from "./support/scripted-target.ts";
import { startTap, type TcpTap } from "./support/tcp-tap.ts";
import {
  entryOf,
  eventually,
  openClient,
  openPair,
  openServer,
  type PairOptions,
  type TunnelPair,
  tunnelPort,
} from "./support/tunnel-pair.ts";
import { dial, echo, endOf, endUsers, readExactly } from "./support/users.ts";

let target: ScriptedTarget;
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  target = await startScriptedTarget();
  open.push(target);
});

afterEach(async () => {
  endUsers();
  for (const one of open.splice(0).reverse()) await one.close();
  await expectNoSockets();
});

function keep<T extends { close(): unknown }>(one: T): T {
  open.push(one);
  return one;
}

/** A connection to the tunnel port of who has no key. */
async function stranger(server: Tunnel | undefined, from?: string): Promise<Socket> {
  if (server === undefined) throw new Error("no server");
  return dial({ host: "127.0.0.1", port: tunnelPort(server) }, from);
}

async function expectServed(pair: TunnelPair): Promise<void> {
  const payload = randomBytes(1000);
  expect((await echo(pair.entry, payload)).equals(payload)).toBe(true);
}

describe.each([0, 1] as const)("strangers at the tunnel port, tls %i", (tls) => {
  const pairWith = async (limits: PairOptions["limits"] = {}): Promise<TunnelPair> =>
    keep(await openPair({ flow: "reverse", tls, target: target.at, limits }));

  test.each([
    ["random bytes", () => randomBytes(2000)],
    ["zeros", () => Buffer.alloc(2000)],
    ["a request for another path", () => Buffer.from("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")],
    [
      "another method",
      () => Buffer.from("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    ],
    ["endless headers", () => Buffer.from(`GET / HTTP/1.1\r\n${"A: b\r\n".repeat(5000)}`)],
    ["one endless header", () => Buffer.from(`GET / HTTP/1.1\r\nA: ${"b".repeat(100_000)}`)],
    [
      "a wrong token",
      () => Buffer.from(`GET / HTTP/1.1\r\nAuthorization: Bearer ${"a".repeat(64)}\r\n\r\n`),
    ],
    [
      "a malformed nonce",
      () => Buffer.from("GET / HTTP/1.1\r\nNodePass-Version: 1\r\nNodePass-Nonce: x\r\n\r\n"),
    ],
    ["a hello with a wrong proof", () => Buffer.concat([Buffer.from([0x4e, 1]), randomBytes(28)])],
    ["a hello of another version", () => Buffer.concat([Buffer.from([0x4e, 2]), randomBytes(28)])],
    [
      "a TLS record of nonsense",
      () => Buffer.concat([Buffer.from("1603010100", "hex"), randomBytes(256)]),
    ],
    ["an alert", () => Buffer.from("15030300020228", "hex")],
  ])("%s: closed, and users notice nothing", async (_name, bytes) => {
    const pair = await pairWith();
    await eventually(() => expect(pair.server?.counters().pool).toBeGreaterThanOrEqual(8));
    const strangers = await Promise.all(Array.from({ length: 20 }, () => stranger(pair.server)));
    const ends = strangers.map(endOf);
    for (const one of strangers) one.write(bytes());
    await expectServed(pair);
    await Promise.all(ends);
    await expectServed(pair);
    // The client's own, and none of the twenty.
    expect(pair.server?.counters().pool).toBeLessThanOrEqual(10);
    expect(pair.client.state).toBe("running");
  });

  test("silent ones and half handshakes are closed in the time set", async () => {
    const pair = await pairWith({ handshakeTimeoutMs: 1000 });
    const beginnings = ["", "G", "GET / HT", "N", "N\x01abc", "\x16", "\x16\x03\x01\x02\x00\x01"];
    const strangers = await Promise.all(beginnings.map(() => stranger(pair.server)));
    strangers.forEach((one, index) => {
      one.write(Buffer.from(beginnings[index] ?? "", "latin1"));
    });
    const ends = strangers.map(endOf);
    await expectServed(pair);
    await Promise.all(ends);
    await expectServed(pair);
  });

  test.each([
    ["the present client's address, which may have more", "127.0.0.1", 512],
    ["another address", "127.90.6.1", 256],
  ])("too many silent ones of %s push each other out, not who has the key", async (...of) => {
    const [, from, most] = of;
    const pair = await pairWith({ handshakeTimeoutMs: 60_000 });
    let closed = 0;
    for (let batch = 0; batch < 4; batch++) {
      const strangers = await Promise.all(
        Array.from({ length: 150 }, () => stranger(pair.server, from)),
      );
      for (const one of strangers) void endOf(one).then(() => closed++);
      await expectServed(pair);
    }
    await eventually(() => expect(closed).toBeGreaterThanOrEqual(600 - most));
    // The client's own handshakes have at most a few places among them.
    expect(closed).toBeLessThanOrEqual(600 - most + 32);
    // A client that comes anew gets in beside them.
    pair.client.destroy();
    const again = await openClient(
      { flow: "reverse", tls, target: target.at },
      tunnelPort(pair.server as Tunnel),
    );
    keep({ close: () => again.destroy() });
    await again.ready();
    await expectServed(pair);
  });
});

describe("a recording", () => {
  async function tapped(): Promise<{
    server: Tunnel;
    client: Tunnel;
    tap: TcpTap;
    logs: LogRecord[];
  }> {
    const logs: LogRecord[] = [];
    const options: PairOptions = { flow: "reverse", target: target.at };
    const server = await openServer(options, logs);
    keep({ close: () => server.destroy() });
    const tap = keep(await startTap(tunnelPort(server)));
    const client = await openClient(options, tap.port, logs);
    keep({ close: () => client.destroy() });
    await client.ready();
    await eventually(() => expect(client.counters().pool).toBe(8));
    return { server, client, tap, logs };
  }

  test("of a whole session, played again, gets nothing", async () => {
    const { server, tap, logs } = await tapped();
    const entry = entryOf(server);
    expect(String(await echo(entry, Buffer.from("users' words")))).toBe("users' words");
    const records = tap.connections.map(({ fromClient }) => Buffer.concat(fromClient));
    expect(records.length).toBeGreaterThan(9);
    const answers = await Promise.all(
      records.map(async (bytes) => {
        const replayed = await dial({ host: "127.0.0.1", port: tunnelPort(server) });
        let answer = "";
        replayed.on("data", (chunk: Buffer) => {
          answer += String(chunk);
        });
        const end = endOf(replayed);
        replayed.write(bytes);
        await end;
        return answer;
      }),
    );
    expect(answers.filter((answer) => answer.includes(" 200 "))).toEqual([]);
    expect(answers[0]).toMatch(/401 Unauthorized/);
    expect(answers.slice(1).join("")).toBe("");
    expect(logs.some(({ message }) => message.includes("used before"))).toBe(true);
    expect(server.state).toBe("running");
    expect(String(await echo(entry, Buffer.from("go on")))).toBe("go on");
  });

  test("of an earlier session is not good in the next one", async () => {
    const { server, client, tap } = await tapped();
    const records = tap.connections.map(({ fromClient }) => Buffer.concat(fromClient));
    client.destroy();
    await eventually(() => expect(server.state).toBe("error"));
    const next = await openClient({ flow: "reverse", target: target.at }, tunnelPort(server));
    keep({ close: () => next.destroy() });
    await next.ready();
    for (const bytes of records.slice(1)) {
      const replayed = await dial({ host: "127.0.0.1", port: tunnelPort(server) });
      const end = endOf(replayed);
      replayed.write(bytes);
      await end;
    }
    expect(String(await echo(entryOf(server), Buffer.from("go on")))).toBe("go on");
  });
});

describe("a man in the middle", () => {
  test("who changes one bit of the proved answer, anywhere, is refused", async () => {
    const options: PairOptions = { flow: "reverse", target: target.at };
    const server = await openServer(options);
    keep({ close: () => server.destroy() });
    const tap = keep(await startTap(tunnelPort(server)));
    let at = -1;
    let flipped = 0;
    let length = 0;
    tap.onServerBytes = (bytes) => {
      const text = bytes.toString("latin1");
      if (!text.startsWith("HTTP/1.1 200")) return bytes;
      // Of the head only what is signed: its proof.
      const proof = /^nodepass-proof: /im.exec(text);
      const proofAt = (proof?.index ?? 0) + (proof?.[0].length ?? 0);
      const body = text.indexOf("\r\n\r\n") + 4;
      const positions = [
        ...Array.from({ length: 43 }, (_, index) => proofAt + index),
        ...Array.from({ length: bytes.length - body }, (_, index) => body + index),
      ];
      length = positions.length;
      const position = positions[++at];
      if (position === undefined) return bytes;
      flipped++;
      const changed = Buffer.from(bytes);
      changed[position] = (changed[position] ?? 0) ^ (1 << (at % 7));
      return changed;
    };
    const logs: LogRecord[] = [];
    const states: string[] = [];
    const client = await openClient(
      { ...options, limits: { serviceCooldownMs: 1 } },
      tap.port,
      logs,
    );
    keep({ close: () => client.destroy() });
    client.on("state", (state) => states.push(state));
    await client.ready();
    // It met the server only when nothing was changed any more.
    expect(flipped).toBe(length);
    expect(length).toBeGreaterThan(100);
    expect(at).toBe(length);
    expect(states.indexOf("running")).toBe(states.length - 1);
    expect(String(await echo(entryOf(server), Buffer.from("at last")))).toBe("at last");
  });

  test("who takes the challenge away after the two have met is refused", async () => {
    const options: PairOptions = { flow: "reverse", target: target.at };
    const server = await openServer(options);
    keep({ close: () => server.destroy() });
    const tap = keep(await startTap(tunnelPort(server)));
    const client = await openClient(options, tap.port);
    keep({ close: () => client.destroy() });
    await client.ready();
    const old = await Peer114Server.start({
      flow: "-",
      tls: 0,
      key: "secret",
      max: 16,
      target: { host: "127.0.0.1", port: 0 },
    });
    keep(old);
    tap.upstream = old.tunnelPort;
    server.destroy();
    await eventually(() => expect(client.reason).toMatch(/cannot prove itself/));
    const seen = tap.connections.flatMap(({ fromClient }) => fromClient.map(String)).join("");
    expect(seen).not.toMatch(/Bearer/);
    expect(client.state).toBe("error");
  });

  test("whose server speaks the old way at the first meeting is refused with compat=0", async () => {
    const old = await Peer114Server.start({
      flow: "-",
      tls: 0,
      key: "secret",
      max: 16,
      target: { host: "127.0.0.1", port: 0 },
    });
    keep(old);
    const client = await openClient(
      { flow: "reverse", target: target.at, clientQuery: "compat=0" },
      old.tunnelPort,
    );
    keep({ close: () => client.destroy() });
    await eventually(() => expect(client.reason).toMatch(/cannot prove itself/));
  });

  test("with a certificate of his own gets no byte of a user (tls 1)", async () => {
    const options: PairOptions = { flow: "reverse", tls: 1, target: target.at };
    const server = await openServer(options);
    keep({ close: () => server.destroy() });
    const other = await openServer({ ...options, key: "another" });
    keep({ close: () => other.destroy() });
    const tap = keep(await startTap(tunnelPort(server)));
    // The handshake goes to the right server, everything after it to one with another certificate.
    tap.onServerBytes = (bytes) => {
      if (bytes.toString("latin1").startsWith("HTTP/1.1 200")) tap.upstream = tunnelPort(other);
      return bytes;
    };
    const client = await openClient(options, tap.port);
    keep({ close: () => client.destroy() });
    await eventually(() => expect(client.reason).toMatch(/certificate/));
    expect(client.state).toBe("error");
    expect(other.counters().pool).toBe(0);
  });
});

describe("a peer that knows the key and misbehaves", () => {
  let server: Tunnel;
  let raw: RawClient;

  /** The forward server is the exit: it obeys signals. */
  async function meet(limits: PairOptions["limits"] = {}): Promise<void> {
    server = await openServer({ flow: "forward", target: target.at, limits });
    keep({ close: () => server.destroy() });
    raw = keep(await startRawClient(tunnelPort(server)));
    await eventually(() => expect(server.state).toBe("running"));
  }

  /** A well-behaved client comes afterwards and is served. */
  async function expectNextServed(): Promise<void> {
    raw.close();
    const client = await openClient({ flow: "forward", target: target.at }, tunnelPort(server));
    keep({ close: () => client.destroy() });
    await client.ready();
    expect(String(await echo(entryOf(client), Buffer.from("go on")))).toBe("go on");
  }

  test("is served when it behaves", async () => {
    await meet();
    const pool = await raw.pool(1);
    raw.control.write(raw.line({ action: "tcp", remote: "127.0.0.1:9", id: "00000001" }));
    pool.write("hello");
    expect(String(await readExactly(pool, 5))).toBe("hello");
    pool.destroy();
    await expectNextServed();
  });

  test.each([
    ["garbage", () => randomBytes(500)],
    ["a line without an end", () => Buffer.alloc(10_000, "A")],
    ["base64 of nonsense", () => Buffer.from("QUJDREVGRw==\n")],
    ["an empty line", () => Buffer.from("\n")],
  ])("%s on the control connection ends the session", async (_name, bytes) => {
    await meet();
    const end = endOf(raw.control);
    raw.control.write(bytes());
    await end;
    await eventually(() => expect(server.state).toBe("error"));
    expect(server.reason).not.toContain("secret");
    await expectNextServed();
  });

  test("a hello that was used, a second control connection, a wrong MAC: refused", async () => {
    await meet();
    await raw.pool(1);
    await eventually(() => expect(server.counters().pool).toBe(1));
    for (const counter of [1, 0]) await endOf(await raw.pool(counter));
    const guess = await dial({ host: "127.0.0.1", port: tunnelPort(server) });
    const forged = Buffer.from(raw.hello(2));
    forged[29] = (forged[29] ?? 0) ^ 1;
    guess.write(forged);
    await endOf(guess);
    expect(server.counters().pool).toBe(1);
    // The forged one has not used the counter up.
    await raw.pool(2);
    await eventually(() => expect(server.counters().pool).toBe(2));
  });

  test("signals for connections that never come give their places back", async () => {
    await meet({ poolGetTimeoutMs: 200 });
    for (let id = 1000; id < 1100; id++) {
      const hex = id.toString(16).padStart(8, "0");
      raw.control.write(raw.line({ action: "tcp", remote: "127.0.0.1:9", id: hex }));
      raw.control.write(raw.line({ action: "udp", remote: "127.0.0.1:9", id: hex }));
    }
    await eventually(() => expect(target.connections).toBe(100));
    await eventually(() => expect(server.counters()).toMatchObject({ tcps: 0, udps: 0 }));
    await expectNextServed();
  });

  test("10,000 signals at once and storms of flush and ping are outlived", async () => {
    await meet({ poolGetTimeoutMs: 200 });
    const storm = [raw.line({ action: "flush" }), raw.line({ action: "ping" })]
      .join("")
      .repeat(5000);
    raw.control.resume();
    raw.control.write(storm);
    const many = Array.from({ length: 2000 }, (_, index) =>
      raw.line({
        action: "tcp",
        remote: "127.0.0.1:9",
        id: (5000 + index).toString(16).padStart(8, "0"),
      }),
    );
    raw.control.write(many.join(""));
    await eventually(() => expect(server.counters().tcps).toBeGreaterThan(0));
    await eventually(() => expect(server.counters().tcps).toBe(0));
    expect(server.state).toBe("running");
    await expectNextServed();
  });

  test("twice the same id in signals: the second gets nothing", async () => {
    await meet({ poolGetTimeoutMs: 300 });
    const pool = await raw.pool(1);
    const line = raw.line({ action: "tcp", remote: "127.0.0.1:9", id: "00000001" });
    raw.control.write(line + line);
    pool.write("hello");
    expect(String(await readExactly(pool, 5))).toBe("hello");
    await eventually(() => expect(server.counters().tcps).toBe(1));
    pool.destroy();
    await eventually(() => expect(server.counters().tcps).toBe(0));
  });

  test("a datagram frame that is too long ends that session alone", async () => {
    await meet();
    const bad = await raw.pool(1);
    const good = await raw.pool(2);
    raw.control.write(raw.line({ action: "udp", remote: "127.0.0.1:9", id: "00000001" }));
    raw.control.write(raw.line({ action: "udp", remote: "127.0.0.1:9", id: "00000002" }));
    const end = endOf(bad);
    bad.write(Buffer.from([0xff, 0xff, 0]));
    await end;
    good.write(Buffer.from([0, 2, 0x68, 0x69]));
    expect(await readExactly(good, 4)).toEqual(Buffer.from([0, 2, 0x68, 0x69]));
    await eventually(() => expect(server.counters().udps).toBe(1));
  });
});

test("a flush empties the pool and users are served on", async () => {
  const server = await openServer({ flow: "forward", target: target.at });
  keep({ close: () => server.destroy() });
  const raw = keep(await startRawClient(tunnelPort(server)));
  const idle = await raw.pool(1);
  await eventually(() => expect(server.counters().pool).toBe(1));
  const end = endOf(idle);
  raw.control.write(raw.line({ action: "flush" }));
  await end;
  expect(server.counters().pool).toBe(0);
  const pool = await raw.pool(2);
  raw.control.write(raw.line({ action: "tcp", remote: "127.0.0.1:9", id: "00000002" }));
  pool.write("hello");
  expect(String(await readExactly(pool, 5))).toBe("hello");
});

test("a server that accepts and never answers is given up in the time set", async () => {
  const { createServer } = await import("node:net");
  const silent = createServer((socket) => void socket.on("error", () => {}).resume());
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  keep({ close: () => silent.close() });
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const limits = { handshakeTimeoutMs: 100 };
  const client = await openClient({ flow: "reverse", target: target.at, limits }, port);
  keep({ close: () => client.destroy() });
  await eventually(() => expect(client.reason).toMatch(/100 ms/));
  const probe = connect(port, "127.0.0.1");
  await once(probe, "connect");
  probe.destroy();
});
