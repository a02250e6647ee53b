import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { handshakeRequest } from "./http-head.ts";
import { Peer114Server, type Peer114ServerOptions } from "./index.ts";
import { encodeSignal, LineCutter, type Signal } from "./signal-codec.ts";
import { bearerToken } from "./tunnel-secret.ts";

const opened: Array<{ close(): Promise<void> }> = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const thing of opened.splice(0)) await thing.close();
});

const timings = { reportIntervalMs: 60, unsignalledMs: 60, listenerGapMs: 1, cooldownMs: 20 };

async function startServer(options: Partial<Peer114ServerOptions> = {}): Promise<Peer114Server> {
  const target = { host: "127.0.0.1", port: 0 };
  const server = await Peer114Server.start({
    flow: "-",
    key: "secret",
    target,
    timings,
    ...options,
  });
  opened.push(server);
  return server;
}

async function dial(server: Peer114Server): Promise<Socket> {
  for (;;) {
    const socket = connect(server.tunnelPort, "127.0.0.1");
    try {
      await once(socket, "connect");
      socket.on("error", () => undefined);
      sockets.push(socket);
      return socket;
    } catch {
      // The gap between the two listeners.
    }
  }
}

async function ask(server: Peer114Server, request: string): Promise<string> {
  const socket = await dial(server);
  socket.write(request);
  return String(await firstData(socket));
}

/** What arrives first; a connection that closes instead throws. */
function firstData(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    socket.once("data", resolve);
    socket.once("close", () => reject(new Error("closed without a byte")));
  });
}

/** Waits without caring how slow the machine is. */
function eventually<T>(probe: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(probe, { timeout: 20_000, interval: 10 });
}

async function openPool(server: Peer114Server): Promise<{ socket: Socket; id: string }> {
  const socket = await dial(server);
  const id = await firstData(socket);
  return { socket, id: id.toString("hex", 0, 4) };
}

/** A handshake and a control connection that answers every ping. */
async function join(server: Peer114Server, pings = true): Promise<Socket> {
  const good = handshakeRequest("none", bearerToken("secret"));
  expect(await ask(server, good)).toMatch(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\n/);
  const { socket, id } = await openPool(server);
  expect(id).toBe("00000000");
  const lines = new LineCutter();
  const ping = encodeSignal({ action: "ping" }, "secret");
  if (pings) socket.write(ping);
  socket.on("data", (chunk: Buffer) => {
    for (const line of lines.push(chunk)) {
      if (`${line}\n` === ping && pings) {
        socket.write(ping + encodeSignal({ action: "pong" }, "secret"));
      }
    }
  });
  return socket;
}

async function violation(server: Peer114Server, text: RegExp): Promise<void> {
  await eventually(() => expect(server.violations.join("\n")).toMatch(text));
}

const say = (socket: Socket, signal: Signal) => socket.write(encodeSignal(signal, "secret"));

test("a request of a newer node is refused and counted, not blamed", async () => {
  const server = await startServer();
  const request = "GET / HTTP/1.1\r\nHost: none\r\nNodePass-Version: 1\r\n\r\n";
  expect(await ask(server, request)).toMatch(/^HTTP\/1\.1 401 /);
  expect(server.counters.unauthorizedRequests).toBe(1);
  expect(server.violations).toEqual([]);
  await join(server);
});

test.each([
  ["GET /x HTTP/1.1\r\nHost: none\r\n\r\n", 404, /path/],
  ["POST / HTTP/1.1\r\nHost: none\r\n\r\n", 405, /method/],
  ["GET / HTTP/1.1\r\nHost: none\r\n\r\n", 401, /without Authorization/],
  ["GET / HTTP/1.1\r\nHost: none\r\nAuthorization: Bearer 00\r\n\r\n", 401, /wrong Auth/],
  [handshakeRequest("127.0.0.1", bearerToken("secret")), 200, /Host/],
])("blames the request %j and answers %i", async (request, status, text) => {
  const server = await startServer();
  expect(await ask(server, request)).toContain(`HTTP/1.1 ${status} `);
  await violation(server, text);
});

test("blames an exit that speaks first on a pool connection", async () => {
  const server = await startServer();
  await join(server);
  (await openPool(server)).socket.write(randomBytes(40));
  await violation(server, /the exit sent 40 bytes/);
});

test("blames an entry that sends bytes and no signal, or closes an idle connection", async () => {
  const server = await startServer({ flow: "+" });
  await join(server);
  (await openPool(server)).socket.write(randomBytes(40));
  await violation(server, /40 bytes on pool connection [0-9a-f]{8} without a signal/);
  await eventually(() => expect(server.counters.sessionsLost).toBe(1));
  await eventually(() => join(server));
  (await openPool(server)).socket.destroy();
  await violation(server, /was closed by the other end without a flush/);
});

test.each<[string, Signal, RegExp]>([
  ["an unknown id", { action: "tcp", remote: "1.2.3.4:5", id: "12345678" }, /unknown/],
  ["the control id", { action: "udp", remote: "1.2.3.4:5", id: "00000000" }, /control conn/],
  ["a verify without TLS", { action: "verify", id: "12345678", fp: "" }, /verify without TLS/],
])("blames %s", async (_what, signal, text) => {
  const server = await startServer({ flow: "+" });
  say(await join(server), signal);
  await violation(server, text);
});

test("blames a connection claimed twice", async () => {
  const server = await startServer({ flow: "+" });
  const control = await join(server);
  const { id } = await openPool(server);
  say(control, { action: "tcp", remote: "1.2.3.4:5", id });
  say(control, { action: "tcp", remote: "1.2.3.4:6", id });
  await violation(server, /claimed twice/);
});

test("blames a signal from the exit, an unread line, too many pings, and a pong too many", async () => {
  const server = await startServer();
  const cases: Array<[(control: Socket) => void, RegExp]> = [
    [(control) => say(control, { action: "tcp", remote: "1.2.3.4:5", id: "12345678" }), /exit$/m],
    [(control) => control.write("!\n"), /not padded base64/],
    [(control) => control.write("A".repeat(2000)), /more than 1024 bytes/],
    [(control) => control.end("AA"), /middle of a line/],
    [
      (control) => {
        for (let count = 0; count < 50; count++) say(control, { action: "ping" });
      },
      /pings in/,
    ],
    [
      (control) => {
        for (let count = 0; count < 50; count++) say(control, { action: "pong" });
      },
      /pong without a ping/,
    ],
  ];
  for (const [misbehave, text] of cases) {
    const lost = server.counters.sessionsLost;
    misbehave(await eventually(() => join(server)));
    await violation(server, text);
    await eventually(() => expect(server.counters.sessionsLost).toBe(lost + 1));
  }
});

test("ends a session after three report intervals of silence, and blames nobody", async () => {
  const server = await startServer();
  await join(server, false);
  const [reason] = await once(server, "lost");
  expect(reason).toMatch(/three report intervals/);
  expect(server.violations).toEqual([]);
});

test("closes its listener between the handshake and the pool", async () => {
  const server = await startServer({ timings: { ...timings, listenerGapMs: 200 } });
  await ask(server, handshakeRequest("none", bearerToken("secret")));
  await eventually(async () => {
    const socket = connect(server.tunnelPort, "127.0.0.1");
    const refused = once(socket, "connect").then(
      () => "open",
      () => "refused",
    );
    expect(await refused.finally(() => socket.destroy())).toBe("refused");
  });
});
