import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
} from "node:http2";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterEach, expect, test } from "vitest";
import { handshakeRequest } from "./peer-114/http-head.ts";
import { decodeSignal, encodeSignal, type Signal } from "./peer-114/signal-codec.ts";
import { bearerToken } from "./peer-114/tunnel-secret.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { eventually, openEnd, tunnelPort } from "./support/tunnel-pair.ts";

const KEY = "secret";
let server: Tunnel;
const sessions: ClientHttp2Session[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await server?.close({ timeoutMs: 0 });
  await expectNoSockets();
});

/** What a stream has brought. */
class Stream114 {
  readonly stream: ClientHttp2Stream;
  status = 0;
  bytes = Buffer.alloc(0);

  constructor(session: ClientHttp2Session, path = "/stream") {
    this.stream = session.request({ ":method": "POST", ":path": path }, { endStream: false });
    this.stream.on("response", (headers) => {
      this.status = Number(headers[":status"]);
    });
    this.stream.on("data", (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
    });
    this.stream.on("error", () => {
      // It was reset.
    });
  }

  async id(): Promise<string> {
    this.stream.write(Buffer.of(0));
    await eventually(() => expect(this.bytes.length).toBeGreaterThanOrEqual(4));
    expect(this.status).toBe(200);
    return this.bytes.toString("hex", 0, 4);
  }

  signals(): Signal[] {
    return this.bytes
      .toString("latin1", 4)
      .split("\n")
      .slice(0, -1)
      .map((line) => {
        const decoded = decodeSignal(line, KEY);
        if (!decoded.ok) throw new Error(decoded.violation);
        return decoded.signal;
      });
  }
}

/** Shakes hands as a 1.14 client. @returns the answer's body */
async function shakeHands(): Promise<string> {
  const socket = connect(tunnelPort(server), "127.0.0.1");
  socket.write(handshakeRequest("none", bearerToken(KEY)));
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  await once(socket, "close");
  return text.split("\r\n\r\n")[1] ?? "";
}

async function openSession(): Promise<ClientHttp2Session> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: tunnelPort(server),
    ALPNProtocols: ["h2"],
    minVersion: "TLSv1.3",
    rejectUnauthorized: false,
  });
  await once(socket, "secureConnect");
  expect(socket.alpnProtocol).toBe("h2");
  const session = connectHttp2("https://none", { createConnection: () => socket });
  session.on("error", () => {
    // The server has closed it.
  });
  sessions.push(session);
  return session;
}

test("a 1.14 client over HTTP/2 gets ids for its bytes, and a control connection", async () => {
  const logs: LogRecord[] = [];
  server = await openEnd(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&type=3&max=8`, logs);
  // TLS is raised to 1, as a 1.14 server does.
  expect(await shakeHands()).toBe('{"flow":"-","max":8,"tls":"1","type":"3"}\n');
  const session = await openSession();
  const control = new Stream114(session);
  expect(await control.id()).toBe("00000000");
  await eventually(() => expect(control.signals()).toContainEqual({ action: "ping" }));
  control.stream.write(encodeSignal({ action: "ping" }, KEY));
  await eventually(() => expect(control.signals()).toContainEqual({ action: "pong" }));
  const ids = await Promise.all([new Stream114(session).id(), new Stream114(session).id()]);
  expect(new Set([...ids, "00000000"]).size).toBe(3);
  // Our verify names one of them: it is in nobody's pool any more.
  await eventually(() => {
    const verify = control.signals().find((signal) => signal.action === "verify");
    expect(verify).toMatchObject({ fp: expect.stringMatching(/^sha256:/) });
    expect(ids).toContain(verify?.action === "verify" ? verify.id : "");
  });
  const lost = new Stream114(session, "/other");
  await eventually(() => expect(lost.status).toBe(404));
});

test("without a 1.14 client nobody gets an id for a byte", async () => {
  server = await openEnd(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&type=3`);
  const stream = new Stream114(await openSession());
  stream.stream.write(Buffer.of(0));
  await eventually(() => expect(stream.stream.closed).toBe(true));
  expect(stream.bytes.length).toBe(0);
});
