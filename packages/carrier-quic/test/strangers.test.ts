import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  type Arrival,
  type ByteStream,
  type CarrierDialer,
  type CarrierListener,
  createSelfSignedCertificate,
  Lingerer,
  RelayBuffers,
} from "@nodepass/tunnel-core";
import { afterEach, expect, test, vi } from "vitest";
import { carrier } from "../src/index.ts";

/** Addresses of this file alone. */
const HOST = `127.${64 + ((process.pid >> 8) & 0x3f)}.${process.pid & 0xff}.7`;
const PORT = 10_101;

const dialers: CarrierDialer[] = [];
let listener: CarrierListener | undefined;
const arrivals: Arrival[] = [];
const dropped: string[] = [];

function eventually(probe: () => void): Promise<void> {
  return vi.waitFor(probe, { timeout: 30_000, interval: 10 });
}

async function listen(
  options: { host?: string; port?: number; timeoutMs?: number } = {},
): Promise<void> {
  const { host = HOST, port = PORT, timeoutMs = 60_000 } = options;
  listener = await carrier.listen({
    ...{ host, port, path: "/", reportIntervalMs: 5000 },
    certificate: await createSelfSignedCertificate(),
    ...{ buffers: new RelayBuffers(), lingerer: new Lingerer(), log: () => {} },
    newcomers: { timeoutMs, onDropped: (why) => dropped.push(why), expectsMany: () => false },
    onStream: (arrival) => arrivals.push(arrival),
  });
}

/** Opens a connection of its own with one stream, and says something on it. */
function knock(): Promise<ByteStream> {
  const dialer = carrier.dial({
    ...{ address: HOST, port: PORT, proxy: undefined, serverName: undefined, path: "/" },
    // Only QUIC's own TLS is used.
    tls: { mode: 1, context: {} as never, ca: undefined, pin: undefined },
    ...{ buffers: new RelayBuffers(), lingerer: new Lingerer(), log: () => {} },
    reportIntervalMs: 5000,
  });
  dialers.push(dialer);
  return new Promise((resolve, reject) => {
    dialer.open({
      onFailed: reject,
      onStream: (stream) => {
        stream.resume();
        stream.write(Buffer.from("?"));
        resolve(stream);
      },
    });
  });
}

const openStreams = (): number => arrivals.filter(({ stream }) => !stream.destroyed).length;

afterEach(async () => {
  for (const { stream } of arrivals.splice(0)) stream.destroy();
  listener?.close();
  for (const dialer of dialers.splice(0)) dialer.close();
  dropped.length = 0;
  await eventually(() => {
    const udp = process.getActiveResourcesInfo().filter((kind) => /^UDP/.test(kind));
    expect(udp).toEqual([]);
  });
});

test("connections whose streams prove nothing are bounded, and their oldest goes", async () => {
  await listen();
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 28 }, knock));
  }
  await eventually(() => expect(arrivals.length).toBe(280));
  await eventually(() => expect(openStreams()).toBe(256));
  expect(arrivals.slice(0, 24).every(({ stream }) => stream.destroyed)).toBe(true);
  expect(dropped.length).toBe(24);
});

test("one that proves nothing in time is closed, one that has is not", async () => {
  await listen({ timeoutMs: 300 });
  await knock();
  await eventually(() => expect(arrivals.length).toBe(1));
  arrivals[0]?.known?.();
  await knock();
  await eventually(() => expect(arrivals.length).toBe(2));
  await eventually(() => expect(arrivals[1]?.stream.destroyed).toBe(true));
  expect(arrivals[0]?.stream.destroyed).toBe(false);
  expect(dropped.length).toBe(1);
});

test("those that were proved are bounded, too: one without a user goes first", async () => {
  await listen();
  for (let at = 0; at < 131; at++) {
    await knock();
    await eventually(() => expect(arrivals.length).toBe(at + 1));
    arrivals[at]?.known?.();
    // The client has nobody on this one any more.
    if (at === 100) arrivals[at]?.stream.destroy();
  }
  await eventually(() => expect(openStreams()).toBe(129));
  expect(arrivals.map(({ stream }) => stream.destroyed).indexOf(true)).toBe(0);
  expect(arrivals[1]?.stream.destroyed).toBe(false);
});

test("a named address is bound", async () => {
  await listen({ host: "localhost", port: 0 });
});

test("a port that is taken for both families is not bound for one", async () => {
  const other = createSocket("udp6");
  other.bind({ address: "::", port: 0, exclusive: true });
  await once(other, "listening");
  try {
    const { port } = other.address();
    await expect(listen({ host: "", port })).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
  } finally {
    other.close();
  }
});
