import { createServer } from "node:net";
import { createSecureContext } from "node:tls";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { http2Carrier } from "../src/carrier/http2/http2-carrier.ts";
import { connectSocket } from "../src/proxy/connect-socket.ts";
import { RelayBuffers } from "../src/stream/relay-buffers.ts";
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
  // Not `once(socket, "close")`, which listens to errors, too.
  socket.resume();
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
