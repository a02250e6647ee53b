import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect as connectTls, createSecureContext, createServer, type TLSSocket } from "node:tls";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, expect, test } from "vitest";
import { Http2Dialer } from "../../src/carrier/http2/http2-dialer.ts";
import { Lingerer } from "../../src/stream/lingerer.ts";
import { RelayBuffers } from "../../src/stream/relay-buffers.ts";
import { createSelfSignedCertificate } from "../../src/tls/self-signed.ts";
import { formatOpeningRequest, newWebSocketKey } from "../../src/wire/websocket-opening.ts";
import { expectNoSockets } from "../support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import { entryOf, eventually, openEnd, tunnelPort } from "../support/tunnel-pair.ts";
import { echoRandom, endUsers } from "../support/users.ts";

const KEY = "correct-horse-battery";
const LIMITS = { limits: { handshakeTimeoutMs: 1500 } };

let target: ScriptedTarget | undefined;
const ends: Tunnel[] = [];
const strangers: Socket[] = [];

/** A pair that serves, and its server. */
async function pair(type: 2 | 3): Promise<Tunnel> {
  target = await startScriptedTarget();
  const logs: LogRecord[] = [];
  const terms = `mode=1&type=${type}&tls=1`;
  const server = await openEnd(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?${terms}`, logs, LIMITS);
  ends.push(server);
  const at = `127.0.0.1:${tunnelPort(server)}`;
  const client = await openEnd(`client://${KEY}@${at}/127.0.0.1:${target.port}?mode=2`, logs);
  ends.push(client);
  await client.ready();
  return server;
}

/** A stranger's TLS connection; what it is told is read and forgotten. */
async function stranger(server: Tunnel, protocol: string): Promise<TLSSocket> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: tunnelPort(server),
    rejectUnauthorized: false,
    ALPNProtocols: [protocol],
  });
  strangers.push(socket);
  socket.on("error", () => {
    // A reset is an end, too.
  });
  await once(socket, "secureConnect");
  socket.resume();
  return socket;
}

/** Says it, in pieces if there are several, and waits until the server has ended the connection. */
async function endedBy(socket: Socket, pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) break;
    if (!socket.write(piece)) await Promise.race([once(socket, "drain"), once(socket, "close")]);
  }
  await eventually(() => expect(socket.closed || socket.readableEnded).toBe(true));
}

async function stillServes(server: Tunnel): Promise<void> {
  const [sent, got] = await echoRandom(entryOf(server), 100_000);
  expect(got).toBe(sent);
}

afterEach(async () => {
  for (const socket of strangers.splice(0)) socket.destroy();
  endUsers();
  for (const end of ends.splice(0).reverse()) await end.close({ timeoutMs: 0 });
  await target?.close();
  target = undefined;
});

afterAll(expectNoSockets);

// HTTP/2 (RFC 9113): frames by hand, as no library sends them.
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const [DATA, HEADERS, RST_STREAM, SETTINGS, PING] = [0, 1, 3, 4, 6];
const END_HEADERS = 4;

function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK without its tables: POST, https, the path, an authority. */
function request(stream: number, path = "/stream"): Buffer {
  const text = (value: string) => Buffer.from([value.length, ...Buffer.from(value, "latin1")]);
  const fields = [Buffer.of(0x83, 0x87, 0x04), text(path), Buffer.of(0x01), text("a")];
  return frame(HEADERS, END_HEADERS, stream, Buffer.concat(fields));
}

const opening = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]);
const cancelled = (stream: number) => frame(RST_STREAM, 0, stream, Buffer.of(0, 0, 0, 8));

const HTTP2_TRIALS: Record<string, () => Iterable<Buffer>> = {
  "garbage behind the preface": () => [Buffer.concat([PREFACE, Buffer.alloc(5000, 0xa5)])],
  "a preface and nothing": () => [PREFACE],
  "a request taken back in the same segment": () => [
    Buffer.concat([opening, request(1), cancelled(1)]),
  ],
  "requests taken back by the thousand (CVE-2023-44487)": () => [
    opening,
    ...Array.from({ length: 5000 }, (_, at) =>
      Buffer.concat([request(2 * at + 1), cancelled(2 * at + 1)]),
    ),
  ],
  "requests by the thousand that say nothing": () => [
    opening,
    ...Array.from({ length: 3000 }, (_, at) => request(2 * at + 1)),
  ],
  "requests on a wrong path that go on": () => [
    opening,
    ...Array.from({ length: 1000 }, (_, at) => request(2 * at + 1, "/other")),
    frame(DATA, 0, 1, Buffer.alloc(1000)),
  ],
  "a flood of settings": () => [
    opening,
    ...Array.from({ length: 20_000 }, () => frame(SETTINGS, 0, 0)),
  ],
  "a flood of pings": () => [
    opening,
    ...Array.from({ length: 20_000 }, () => frame(PING, 0, 0, Buffer.alloc(8))),
  ],
};

test.each(Object.keys(HTTP2_TRIALS))("http/2: %s ends its connection alone", async (name) => {
  const server = await pair(3);
  await endedBy(await stranger(server, "h2"), HTTP2_TRIALS[name]?.() ?? []);
  await stillServes(server);
});

const wsOpening = (path = "/") =>
  Buffer.from(formatOpeningRequest(path, "x", newWebSocketKey()), "latin1");
const bytes = (hex: string) => Buffer.from(hex, "hex");

const WEBSOCKET_TRIALS: Record<string, () => Iterable<Buffer>> = {
  "a head in single bytes, then nothing": () => [...wsOpening()].map((byte) => Buffer.of(byte)),
  "a head without an end": () => [
    wsOpening().subarray(0, -4),
    Buffer.alloc(20_000, "x: y\r\n", "latin1"),
  ],
  "a wrong path": () => [wsOpening("/other")],
  "a wrong version": () => [
    Buffer.from(wsOpening().toString("latin1").replace("Version: 13", "Version: 8"), "latin1"),
  ],
  "a key that is none": () => [
    Buffer.from(
      wsOpening()
        .toString("latin1")
        .replace(/Key: .*/, "Key: x\r"),
      "latin1",
    ),
  ],
  "a text frame": () => [wsOpening(), bytes("818100000000ff")],
  "a frame of 2^63 bytes": () => [wsOpening(), bytes("82ff800000000000000000000000")],
  "a large frame that is no hello": () => [
    wsOpening(),
    bytes("82ff000000007fffffff00000000"),
    Buffer.alloc(1_000_000, 0x55),
  ],
  "fragments without an end": () => [
    wsOpening(),
    bytes("028000000000"),
    ...Array.from({ length: 20_000 }, () => bytes("008000000000")),
  ],
  "a flood of pings": () => [
    wsOpening(),
    ...Array.from({ length: 20_000 }, () => bytes("89840000000061626364")),
  ],
};

test.each(Object.keys(WEBSOCKET_TRIALS))("websocket: %s ends its own alone", async (name) => {
  const server = await pair(2);
  await endedBy(await stranger(server, "http/1.1"), WEBSOCKET_TRIALS[name]?.() ?? []);
  await stillServes(server);
});

test("a server that never sends its HTTP/2 settings is left, and dialled again", async () => {
  const current = (await createSelfSignedCertificate()).current();
  const sockets = new Set<Socket>();
  const deaf = createServer({ ...current.pem(), ALPNProtocols: ["h2"] }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {
      // The client is gone.
    });
    socket.on("close", () => sockets.delete(socket));
    socket.resume();
  });
  deaf.listen(0, "127.0.0.1");
  await once(deaf, "listening");
  const dialer = new Http2Dialer({
    address: "127.0.0.1",
    port: (deaf.address() as AddressInfo).port,
    proxy: undefined,
    serverName: undefined,
    path: "/",
    tls: { mode: 1, context: createSecureContext(), ca: undefined, pin: undefined },
    reportIntervalMs: 1000,
    buffers: new RelayBuffers(),
    lingerer: new Lingerer(),
    log: () => {
      // Not looked at.
    },
  });
  const failed: Error[] = [];
  const wanted = {
    onStream: () => {
      throw new Error("there is no stream");
    },
    onFailed: () => {
      // Whoever gave up is not told.
    },
  };
  try {
    for (let round = 0; round < 2; round++) {
      const dial = dialer.open(wanted);
      await eventually(() => expect(sockets.size).toBe(1));
      // What the pool does when its time is over.
      dial.cancel();
      await eventually(() => expect(sockets.size).toBe(0));
    }
    // Who comes in the turn in which the last one gives up has a connection of his own.
    dialer.open(wanted).cancel();
    const next = dialer.open({ ...wanted, onFailed: (error) => failed.push(error) });
    await eventually(() => expect(sockets.size).toBe(1));
    expect(failed).toEqual([]);
    next.cancel();
    dialer.open(wanted);
    await eventually(() => expect(sockets.size).toBe(1));
    dialer.close();
    await eventually(() => expect(sockets.size).toBe(0));
  } finally {
    dialer.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => deaf.close(done));
  }
});
