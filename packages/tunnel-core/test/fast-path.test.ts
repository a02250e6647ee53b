import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { OWNED, type StreamReader } from "../src/stream/byte-stream.ts";
import { canReadFast } from "../src/stream/fast-read.ts";
import { RelayBuffers } from "../src/stream/relay-buffers.ts";
import { adoptTcp } from "../src/stream/tcp-stream.ts";
import { expectNoSockets } from "./support/no-leaks.ts";

afterEach(expectNoSockets);

test("this Node version has the fast path of accepted sockets", () => {
  expect(canReadFast()).toBe(true);
});

test("an accepted socket reads into the buffers it shares, without an event per read", async () => {
  const server = createServer({ allowHalfOpen: true, highWaterMark: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const accepted = once(server, "connection");
  const user = connect({ host: "127.0.0.1", port });
  const [socket] = (await accepted) as [Socket];

  const buffers = new RelayBuffers();
  const hash = createHash("sha256");
  const seen = { reads: 0, bytes: 0, owned: 0 };
  const memories = new Set<ArrayBufferLike>();
  const ended = new Promise<void>((resolve) => {
    const reader: StreamReader = {
      onBytes(buffer, length, lease) {
        seen.reads++;
        seen.bytes += length;
        memories.add(buffer.buffer);
        if (lease === OWNED) seen.owned++;
        hash.update(buffer.subarray(0, length));
        return true;
      },
      onEnd: resolve,
      onDrain() {},
      onError() {},
      onClose() {},
    };
    adoptTcp(socket, buffers).setReader(reader);
  });
  // A `data` listener would mean streams and an allocation for each read.
  expect(socket.listenerCount("data")).toBe(0);
  const payload = randomBytes(1_000_000);
  user.end(payload);
  await ended;
  expect(seen).toMatchObject({ bytes: payload.length, owned: 0 });
  // The shared buffer first, and one more that a busy stream borrows.
  const [first, ...others] = memories;
  expect(first).toBe(buffers.shared.buffer);
  expect(others.length).toBeLessThanOrEqual(1);
  expect(buffers.lent).toBe(0);
  expect(seen.reads).toBeGreaterThan(0);
  expect(hash.digest("hex")).toBe(createHash("sha256").update(payload).digest("hex"));
  socket.destroy();
  user.destroy();
  server.close();
});
