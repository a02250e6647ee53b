import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RESETS_MAY_HIDE } from "../src/stream/hidden-reset.ts";
import { RelayBuffers } from "../src/stream/relay-buffers.ts";
import { dialTcp, type TcpStream } from "../src/stream/tcp-stream.ts";
import { adoptTls } from "../src/stream/tls-stream.ts";
import { makeCertificate } from "./peer-114/index.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { endOf } from "./support/users.ts";

const buffers = new RelayBuffers();
/** As `secureClient` dials. */
const overTls = Object.assign({ rejectUnauthorized: false }, { highWaterMark: 0 });
let server: Server;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.close();
  await expectNoSockets();
});

/** A dialled stream and the other side's end of it. */
async function dialled(): Promise<[TcpStream, Socket]> {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const accepted = once(server, "connection");
  let stream: TcpStream | undefined;
  await new Promise<void>((resolve) => {
    stream = dialTcp({ address: "127.0.0.1", port }, buffers, { onConnect: resolve });
  });
  const [other] = (await accepted) as [Socket];
  if (stream === undefined) throw new Error("not dialled");
  return [stream, other];
}

describe("reset", () => {
  test("resets an open stream", async () => {
    const [stream, other] = await dialled();
    const [end, closed] = [endOf(other), once(stream.socket, "close")];
    stream.reset();
    expect(await end).toBe("ECONNRESET");
    await closed;
  });

  // libuv refuses it then, and Node's handle stayed open for ever.
  test.each([
    ["", false],
    [" after a write", true],
  ])("closes a stream whose FIN is on its way%s", async (_when, writes) => {
    const [stream, other] = await dialled();
    const closed = once(stream.socket, "close");
    other.on("error", () => {});
    other.resume().once("end", () => other.end());
    if (writes) stream.write(Buffer.from("some bytes"));
    stream.end();
    stream.reset();
    await closed;
    expect(stream.destroyed).toBe(true);
    other.destroy();
  });

  test("resets a stream that has sent its FIN", async () => {
    const [stream, other] = await dialled();
    const closed = once(stream.socket, "close");
    const finished = once(stream.socket, "finish");
    stream.end();
    await finished;
    const ended = once(other, "end");
    other.resume();
    await ended;
    const failed = new Promise<string>((resolve) => {
      other.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });
    stream.reset();
    await closed;
    // Who has read the FIN learns of a reset when it writes: at once, not after a first success.
    other.write("too late");
    expect(await failed).toMatch(/ECONNRESET|EPIPE/);
    other.destroy();
  });

  // Node crashed, and took all tunnels of the process with it: should this test kill its worker, that
  // is the failure.
  test("resets TLS streams in the turn in which their handshake ends", async () => {
    const secureContext = createSecureContext(await makeCertificate());
    const ends: Promise<string>[] = [];
    const closed: Promise<unknown>[] = [];
    for (let count = 0; count < 32; count++) {
      const [raw, other] = await dialled();
      other.on("error", () => {});
      ends.push(endOf(new TLSSocket(other, { isServer: true, secureContext })));
      const secure = connectTls({ ...overTls, socket: raw.socket });
      closed.push(once(raw.socket, "close"), once(secure, "close"));
      secure.once("secureConnect", () => {
        const stream = adoptTls(secure, raw.socket, buffers, {});
        stream.write(Buffer.from("a hello"));
        stream.reset();
        // Who comes second finds it reset.
        stream.reset();
      });
    }
    // The plain TLS sockets on the other side take a reset behind data for an end on an older Node.
    const due = RESETS_MAY_HIDE ? /^(ECONNRESET|closed)$/ : /^ECONNRESET$/;
    for (const end of await Promise.all(ends)) expect(end).toMatch(due);
    await Promise.all(closed);
  });

  test("closes a TLS stream whose close_notify is on its way", async () => {
    const certificate = await makeCertificate();
    const [raw, other] = await dialled();
    const secureContext = createSecureContext(certificate);
    const far = new TLSSocket(other, { isServer: true, secureContext });
    far.on("error", () => {});
    other.on("error", () => {});
    const secure = connectTls({ ...overTls, socket: raw.socket });
    await once(secure, "secureConnect");
    const stream = adoptTls(secure, raw.socket, buffers, {});
    const closed = once(stream.socket, "close");
    stream.end();
    stream.reset();
    await closed;
    expect(raw.destroyed).toBe(true);
    far.destroy();
    other.destroy();
  });
});
