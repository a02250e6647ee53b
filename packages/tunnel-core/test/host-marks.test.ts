import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { expectNoSockets } from "./support/no-leaks.ts";
import { startScriptedTarget } from "./support/scripted-target.ts";
import { openPair } from "./support/tunnel-pair.ts";

// A program that holds a tunnel may set other marks for its own streams. Where the data plane
// assumed Node's, it took TLS writes for done that were not: a wrong digest at full length.
const MARK = 4 * 1024 * 1024;
const BYTES = 24 * 1024 * 1024;
const before = getDefaultHighWaterMark(false);

beforeAll(() => setDefaultHighWaterMark(false, MARK));
afterAll(() => setDefaultHighWaterMark(false, before));
const ends: { destroy(): void }[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) end.destroy();
  await expectNoSockets();
});

/** Bytes that differ at every place of the same block, so that an overwritten one shows. */
function* blocks(): Generator<Buffer> {
  for (let sent = 0, round = 0; sent < BYTES; round++) {
    const block = Buffer.alloc(Math.min(100_000, BYTES - sent), `${round},`);
    sent += block.length;
    yield block;
  }
}

async function send(socket: Socket): Promise<string> {
  const hash = createHash("sha256");
  for (const block of blocks()) {
    hash.update(block);
    if (!socket.write(block)) await once(socket, "drain");
  }
  socket.end();
  return hash.digest("hex");
}

/** Reads a little now and then. */
async function receiveSlowly(socket: Socket): Promise<{ bytes: number; digest: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of socket) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes % 5 === 0) await sleep(1);
  }
  return { bytes, digest: hash.digest("hex") };
}

test.each([
  ["reverse", 1, "up"],
  ["reverse", 1, "down"],
  ["forward", 1, "up"],
  ["forward", 1, "down"],
  ["reverse", 0, "up"],
  ["single", 0, "down"],
] as const)(
  "flow %s, tls %i, %s: bytes are whole behind a slow reader whatever marks the program has set",
  async (flow, tls, way) => {
    const target = await startScriptedTarget();
    ends.push({ destroy: () => void target.close() });
    const served = new Promise<Socket>((resolve) => {
      target.onTcp = resolve;
    });
    const pair = await openPair({ flow, target: target.at, tls });
    ends.push(pair.exitEnd, pair.entryEnd);
    const user = connect({ ...pair.entry, allowHalfOpen: true });
    ends.push(user);
    user.on("error", () => {});
    await once(user, "connect");
    user.write("?");
    const far = await served;
    ends.push(far);
    await once(far, "readable");
    far.read();
    const [from, to] = way === "up" ? [user, far] : [far, user];
    const [sent, received] = await Promise.all([send(from), receiveSlowly(to)]);
    expect(received.bytes).toBe(BYTES);
    expect(received.digest).toBe(sent);
  },
);
