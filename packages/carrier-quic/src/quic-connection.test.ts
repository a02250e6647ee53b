import { expect, test, vi } from "vitest";
import { QuicConnection } from "./quic-connection.ts";
import type { QuicAddress, Quiche, QuicheConnection } from "./quiche.ts";

const HERE = { host: "127.0.0.1", port: 1 };

/** quiche without a network: it tells of the streams that a test says, once each. */
function setUp(remote: QuicAddress = HERE) {
  const turns: number[][] = [];
  const native: Partial<QuicheConnection> = {
    isEstablished: () => true,
    isClosed: () => false,
    isDraining: () => false,
    timeout: () => null,
    send: () => null,
    recv: () => 0,
    readable: () => turns.shift() ?? [],
    streamRecv: () => null,
    streamShutdown: () => undefined,
    close: () => undefined,
  };
  const opened: number[] = [];
  const sent: QuicAddress[] = [];
  const closed: string[] = [];
  const connection = new QuicConnection({
    // All that is used of them.
    quiche: { MAX_DATAGRAM_SIZE: 1350, Shutdown: { Read: 0, Write: 1 } } as Quiche,
    native: native as QuicheConnection,
    ...{ local: HERE, remote, ownFingerprint: undefined, pingMs: 60_000 },
    send: (_packet, to) => sent.push(to),
    onEstablished: () => undefined,
    onStream: ({ id }) => opened.push(id),
    onStreamClosed: () => undefined,
    onClosed: (_connection, error) => closed.push(error.message),
  });
  return { native: native as QuicheConnection, turns, opened, sent, closed, connection };
}

test("takes streams in whatever order their bytes come", async () => {
  const { turns, opened, connection } = setUp();
  turns.push([4, 0, 12], [8], [4, 0]);
  for (let turn = 0; turn < 3; turn++) {
    connection.receive(Buffer.alloc(1), HERE);
    const before = turns.length;
    await vi.waitFor(() => expect(turns.length).toBeLessThan(before || 1));
  }
  expect(opened).toEqual([4, 0, 12, 8]);
  connection.close(new Error("over"));
});

test("ends with a peer that leaves out more streams than can be lost on the way", async () => {
  const { turns, closed, connection } = setUp();
  turns.push(Array.from({ length: 1100 }, (_, index) => index * 8 + 4));
  connection.receive(Buffer.alloc(1), HERE);
  await vi.waitFor(() => expect(closed).toEqual(["the peer opens streams out of order"]));
});

test("a zone is for Node alone, and only the library says where the peer is", () => {
  const { native, sent, connection } = setUp({ host: "fe80::1%eth0", port: 2 });
  const recv = vi.spyOn(native, "recv");
  connection.receive(Buffer.alloc(1), { host: "fe80::1%eth0", port: 2 });
  expect(recv.mock.lastCall?.[1]).toEqual({ from: { host: "fe80::1", port: 2 }, to: HERE });
  // Somebody else's packet, which the library takes no notice of.
  connection.receive(Buffer.alloc(1), { host: "192.0.2.1", port: 3 });
  expect(connection.remote).toEqual({ host: "fe80::1%eth0", port: 2 });
  native.send = vi
    .fn()
    .mockReturnValueOnce([1, { to: { host: "fe80::1", port: 2 } }])
    .mockReturnValueOnce([1, { to: { host: "fe80::2", port: 4 } }])
    .mockReturnValue(null);
  connection.close(new Error("over"));
  expect(sent).toEqual([
    { host: "fe80::1%eth0", port: 2 },
    { host: "fe80::2%eth0", port: 4 },
  ]);
});

test("a connection costs a few packets of memory, no read buffer", () => {
  const before = process.memoryUsage().arrayBuffers;
  const connections = Array.from({ length: 200 }, () => setUp().connection);
  const each = (process.memoryUsage().arrayBuffers - before) / connections.length;
  for (const connection of connections) connection.close(new Error("over"));
  expect(each).toBeLessThan(8 * 1024);
});
