import { expect, test, vi } from "vitest";
import { QuicConnection } from "./quic-connection.ts";
import type { Quiche, QuicheConnection } from "./quiche.ts";

const HERE = { host: "127.0.0.1", port: 1 };

/** quiche without a network: it tells of the streams that a test says, once each. */
function setUp() {
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
  const closed: string[] = [];
  const connection = new QuicConnection({
    // All that is used of them.
    quiche: { MAX_DATAGRAM_SIZE: 1350, Shutdown: { Read: 0, Write: 1 } } as Quiche,
    native: native as QuicheConnection,
    ...{ local: HERE, remote: HERE, ownFingerprint: undefined, pingMs: 60_000 },
    send: () => undefined,
    onEstablished: () => undefined,
    onStream: ({ id }) => opened.push(id),
    onStreamClosed: () => undefined,
    onClosed: (_connection, error) => closed.push(error.message),
  });
  return { turns, opened, closed, connection };
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
