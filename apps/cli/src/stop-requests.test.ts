import { EventEmitter } from "node:events";
import { expect, it, vi } from "vitest";
import { untilAborted, watchStopRequests } from "./stop-requests.ts";

it("asks for a graceful stop at the first signal and for one at once at the second", async () => {
  const source = new EventEmitter();
  const stop = watchStopRequests(source, new AbortController().signal);
  source.emit("SIGTERM");
  expect(await stop.requested).toBe("SIGTERM");
  expect(stop.now.aborted).toBe(false);
  source.emit("SIGINT");
  await expect(untilAborted(stop.now)).rejects.toMatchObject({ exitCode: 130 });
});

it("takes the same signal for one request within a second, and for a second one later", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const source = new EventEmitter();
  const stop = watchStopRequests(source, new AbortController().signal);
  source.emit("SIGINT");
  source.emit("SIGINT");
  vi.advanceTimersByTime(999);
  source.emit("SIGINT");
  expect(await stop.requested).toBe("SIGINT");
  expect(stop.now.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  source.emit("SIGINT");
  await expect(untilAborted(stop.now)).rejects.toMatchObject({ exitCode: 130 });
});

it("lets a command do something else at SIGHUP", async () => {
  const source = new EventEmitter();
  let hangups = 0;
  const onHangup = () => {
    hangups++;
  };
  const stop = watchStopRequests(source, new AbortController().signal, { onHangup });
  source.emit("SIGHUP");
  source.emit("SIGHUP");
  source.emit("SIGTERM");
  expect(await stop.requested).toBe("SIGTERM");
  expect([hangups, stop.now.aborted]).toEqual([2, false]);
});

it("asks for a graceful stop when the output is closed, before or after", async () => {
  const closed = new AbortController();
  const early = watchStopRequests(new EventEmitter(), closed.signal);
  closed.abort();
  const late = watchStopRequests(new EventEmitter(), closed.signal);
  expect(await Promise.all([early.requested, late.requested])).toEqual([
    "output closed",
    "output closed",
  ]);
});

it("does not count a closed output as the first signal", async () => {
  const source = new EventEmitter();
  const closed = new AbortController();
  const stop = watchStopRequests(source, closed.signal);
  closed.abort();
  await stop.requested;
  source.emit("SIGINT");
  expect(stop.now.aborted).toBe(false);
});
