import { connect, createServer } from "node:net";
import {
  createSecureContext,
  createServer as createTlsServer,
  type Server as TlsServer,
} from "node:tls";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { http2Carrier } from "../src/carrier/http2/http2-carrier.ts";
import { tcpCarrier } from "../src/carrier/tcp-carrier.ts";
import { connectSocket } from "../src/proxy/connect-socket.ts";
import { Lingerer } from "../src/stream/lingerer.ts";
import { RelayBuffers } from "../src/stream/relay-buffers.ts";
import { createSelfSignedCertificate } from "../src/tls/self-signed.ts";
import { expectNoSockets } from "./support/no-leaks.ts";

/** Nobody listens here: an address of this file alone. */
const HOST = "127.71.3.9";
const PORT = 10_101;

const uncaught: Error[] = [];
const guard = (error: Error): void => {
  uncaught.push(error);
};
beforeEach(() => {
  uncaught.length = 0;
  process.on("uncaughtException", guard);
});
afterEach(async () => {
  // What Node tells late comes in the next turns.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  process.off("uncaughtException", guard);
  expect(uncaught).toEqual([]);
});
afterAll(expectNoSockets);

const REFUSED = [HOST, PORT, "ECONNREFUSED"] as const;
/** The system refuses it at once, in the call. */
const UNREACHABLE = ["255.255.255.255", PORT, "ENETUNREACH"] as const;
const FAILURES = [REFUSED, UNREACHABLE];

test.each(FAILURES)("an HTTP/2 dial to %s:%i fails with %s, and no more", async (address, port) => {
  const dialer = http2Carrier.dial({
    address,
    port,
    proxy: undefined,
    serverName: undefined,
    path: "/",
    tls: { mode: 1, context: createSecureContext(), ca: undefined, pin: undefined },
    reportIntervalMs: 5000,
    buffers: new RelayBuffers(),
    lingerer: new Lingerer(),
    log: () => {},
  });
  const failed = await new Promise<Error>((resolve, reject) => {
    dialer.open({ onFailed: resolve, onStream: () => reject(new Error("a stream was opened")) });
  });
  expect(failed).toMatchObject({ syscall: "connect", address });
  dialer.close();
});

test.each(
  FAILURES.flatMap(([address, port, code]) => [
    { address, port, code, tls: undefined },
    { address, port, code, tls: { verified: true, serverName: undefined, address } },
  ]),
)("a socket to $address:$port is refused with $code (tls: $tls)", async (terms) => {
  const { address, port, code, tls } = terms;
  const { signal } = new AbortController();
  const wanted = connectSocket({ route: { address, port, proxy: undefined }, tls, signal });
  await expect(wanted).rejects.toMatchObject({ code });
});

/** Takes any TLS connection, and says nothing. */
async function listenTls(maxVersion?: "TLSv1.2"): Promise<{ server: TlsServer; port: number }> {
  const { cert, key } = (await createSelfSignedCertificate()).current().pem();
  const versions = maxVersion === undefined ? {} : { maxVersion, minVersion: maxVersion };
  const server = createTlsServer({ cert, key, ...versions }, (socket) => {
    socket.on("error", () => {}).resume();
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

test.each([
  [false, false],
  [false, true],
  [true, false],
  [true, true],
])("a socket is given out with an error listener (proxy: %s, tls: %s)", async (proxied, secure) => {
  const { server, port } = await listenTls();
  const proxy = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      const onward = connect(port, HOST, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
      onward.on("error", () => {});
      socket.pipe(onward).pipe(socket);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, HOST, resolve));
  const at = proxy.address();
  const proxyPort = typeof at === "object" && at !== null ? at.port : 0;
  const through = {
    protocol: "http",
    host: HOST,
    port: proxyPort,
    credentials: undefined,
  } as const;
  const socket = await connectSocket({
    route: {
      address: HOST,
      port: proxied ? proxyPort : port,
      proxy: proxied ? { through, to: { host: HOST, port } } : undefined,
    },
    tls: secure ? { verified: false, serverName: undefined, address: HOST } : undefined,
    signal: new AbortController().signal,
  });
  // The first thing after it was given out: an error of this very turn.
  expect(socket.listenerCount("error")).toBeGreaterThan(0);
  socket.destroy(new Error("in that turn"));
  await new Promise<void>((resolve) => socket.on("close", () => resolve()));
  server.close();
  proxy.close();
});

test.each([
  ["TLSv1.3", false],
  ["TLSv1.2", true],
] as const)(
  "a context for %s and later meets what knows 1.2 alone: %s",
  async (minVersion, meets) => {
    const { server, port } = await listenTls("TLSv1.2");
    const context = createSecureContext({ minVersion });
    const wanted = connectSocket({
      route: { address: HOST, port, proxy: undefined },
      tls: { verified: false, serverName: undefined, address: HOST, context },
      signal: new AbortController().signal,
    });
    const outcome = await wanted.then(
      (socket) => {
        socket.destroy();
        return true;
      },
      () => false,
    );
    expect(outcome).toBe(meets);
    const buffers = new RelayBuffers();
    const dialer = tcpCarrier.dial({
      ...{ address: HOST, port, proxy: undefined, serverName: undefined, path: "/" },
      ...{ reportIntervalMs: 5000, buffers, lingerer: new Lingerer(), log: () => {} },
      tls: { mode: 1, context, ca: undefined, pin: undefined },
    });
    const stands = await new Promise<boolean>((resolve) => {
      dialer.open({
        onFailed: () => resolve(false),
        onStream: (stream) => {
          stream.destroy();
          resolve(true);
        },
      });
    });
    expect(stands).toBe(meets);
    dialer.close();
    server.close();
  },
);

test("a socket through a proxy survives its end before anybody listens", async () => {
  // It answers the CONNECT, and resets the connection.
  const proxy = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n", () => socket.resetAndDestroy());
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, HOST, resolve));
  const address = proxy.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const socket = await connectSocket({
    route: {
      address: HOST,
      port,
      proxy: {
        through: { protocol: "http", host: HOST, port, credentials: undefined },
        to: { host: "192.0.2.1", port: 80 },
      },
    },
    tls: undefined,
    signal: new AbortController().signal,
  });
  // Not `once(socket, "close")`, which listens to errors, too. Before libuv 1.52 a reset right behind
  // data looks like an end.
  socket.resume().on("end", () => socket.destroy());
  await new Promise<void>((resolve) => socket.on("close", () => resolve()));
  proxy.close();
});

test("a dial that was given up leaves no socket", async () => {
  const silent = createServer((socket) => socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => silent.listen(0, HOST, resolve));
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const aborted = new AbortController();
  const wanted = connectSocket({
    route: { address: HOST, port, proxy: undefined },
    tls: { verified: false, serverName: undefined, address: HOST },
    signal: aborted.signal,
  });
  const dialled = new Promise((resolve) => silent.once("connection", resolve));
  const refused = expect(wanted).rejects.toThrow("nobody waits");
  await dialled;
  aborted.abort(new Error("nobody waits"));
  await refused;
  silent.close();
});
