import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { contextFor } from "../../test/support/memory-context.ts";
import { memoryPair } from "../../test/support/memory-stream.ts";
import { RecordingReader } from "../../test/support/recording-reader.ts";
import { LEASED, type Lease, OWNED, SHARED } from "../stream/byte-stream.ts";
import { EarlyReader } from "../stream/early-reader.ts";
import { Relay, type RelayOptions } from "./relay.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy();
});

function relayed(
  streams: { lease?: Lease; capacity?: number; writesAtOnce?: boolean } = {},
  options: Partial<RelayOptions> = {},
) {
  const context = contextFor("client://127.0.0.1:1/127.0.0.1:2?mode=2");
  const [local, user] = memoryPair(streams);
  const [remote, target] = memoryPair(streams);
  open.push(local, user, remote, target);
  const owner = { onBlocked: vi.fn(), onFinished: vi.fn() };
  const asked = { answer: "remote", askedAt: performance.now() - 30 } as const;
  new Relay({ context, local, remote, owner, ...asked, ...options });
  return {
    context,
    owner,
    local,
    remote,
    user: new RecordingReader(user),
    target: new RecordingReader(target),
  };
}

test.each([
  ["shared reads", { lease: SHARED }],
  ["leased reads, little room", { lease: LEASED, capacity: 100 }],
  ["given reads, writes never at once", { lease: OWNED, writesAtOnce: false }],
] as const)("carries bytes and ends both ways: %s", async (_title, streams) => {
  const { context, owner, user, target } = relayed(streams);
  user.stream.writeCopy(Buffer.alloc(100_000, 1), 100_000);
  user.stream.end();
  await target.ended();
  expect(target.bytes).toBe(100_000);
  expect(owner.onFinished).not.toHaveBeenCalled();
  target.stream.writeCopy(Buffer.alloc(300_000, 2), 300_000);
  target.stream.end();
  await user.ended();
  expect(user.bytes).toBe(300_000);
  await vi.waitFor(() => expect(owner.onFinished).toHaveBeenCalledOnce());
  expect(context.counters).toMatchObject({ tcprx: 100_000, tcptx: 300_000 });
  expect(context.tcpRelays.size).toBe(0);
});

test.each(["user", "target"] as const)("passes a reset of the %s on as one", async (who) => {
  const { owner, user, target } = relayed();
  const [from, to] = who === "user" ? [user, target] : [target, user];
  from.stream.reset();
  await to.closed();
  expect(to.events).not.toContain("end");
  await vi.waitFor(() => expect(owner.onFinished).toHaveBeenCalledOnce());
});

test("a user who is gone after his end resets nobody", async () => {
  const { user, target } = relayed();
  user.stream.end();
  await target.ended();
  target.stream.end();
  await Promise.all([user.closed(), target.closed()]);
  expect(target.events).toEqual(["end", "close"]);
});

test("stops reading while the other side takes nothing, and reads on", async () => {
  const { user, target, local } = relayed({ capacity: 1000 });
  target.stream.pause();
  const pause = vi.spyOn(local, "resume");
  for (let count = 0; count < 100; count++) user.stream.writeCopy(Buffer.alloc(1000), 1000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(user.stream.pendingBytes).toBeGreaterThan(90_000);
  expect(pause).not.toHaveBeenCalled();
  target.stream.resume();
  await vi.waitFor(() => expect(target.bytes).toBe(100_000));
});

// A user's stream on a framed connection waits for this before the next one gets it.
test("takes what came early and reads on, also after an early end", () => {
  const [remote, far] = memoryPair();
  open.push(remote, far);
  const reader = new EarlyReader();
  expect(reader.onBytes(Buffer.alloc(20_000))).toBe(false);
  reader.onEnd();
  const resume = vi.spyOn(remote, "resume");
  const { local } = relayed({}, { remote, earlyRemote: reader.takeEarly() });
  expect(local.written.reduce((sum, bytes) => sum + bytes.length, 0)).toBe(20_000);
  expect(resume).toHaveBeenCalled();
});

test("writes the header first, which counts for nothing", async () => {
  const { context, user, target } = relayed({}, { header: "PROXY UNKNOWN\r\n" });
  target.stream.writeCopy(Buffer.from("hello"), 5);
  await vi.waitFor(() => expect(user.text()).toBe("PROXY UNKNOWN\r\nhello"));
  expect(context.counters.tcptx).toBe(5);
});

test.each(["local", "remote"] as const)(
  "measures the first byte of the %s side alone",
  async (answer) => {
    const { context, user, target } = relayed({}, { answer });
    const [answering, asking] = answer === "local" ? [user, target] : [target, user];
    const count = () => context.latencies.firstByte.snapshot().counts.reduce((sum, n) => sum + n);
    asking.stream.writeCopy(Buffer.from("ask"), 3);
    await vi.waitFor(() => expect(answering.bytes).toBe(3));
    expect(count()).toBe(0);
    for (const bytes of [2, 4]) {
      answering.stream.writeCopy(Buffer.from("an"), 2);
      await vi.waitFor(() => expect(asking.bytes).toBe(bytes));
    }
    expect(count()).toBe(1);
    expect(context.latencies.firstByte.snapshot().sumMs).toBeGreaterThanOrEqual(30);
  },
);
