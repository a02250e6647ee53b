import { EventEmitter } from "node:events";
import { expect, it, vi } from "vitest";
import { watchStopSignals } from "./stop-signals.ts";

it("takes the first signal for a graceful stop and the second for one at once", async () => {
  const source = new EventEmitter();
  const { first, second, signal } = watchStopSignals(source);
  source.emit("SIGTERM");
  expect(await first).toBe("SIGTERM");
  expect(signal.aborted).toBe(true);
  const pending = Symbol("pending");
  expect(await Promise.race([second, Promise.resolve(pending)])).toBe(pending);
  source.emit("SIGINT");
  expect(await second).toBe(130);
});

it("takes the same signal for one request within a second, and for a second one later", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const source = new EventEmitter();
  const { second } = watchStopSignals(source);
  source.emit("SIGINT");
  vi.advanceTimersByTime(999);
  source.emit("SIGINT");
  const pending = Symbol("pending");
  expect(await Promise.race([second, Promise.resolve(pending)])).toBe(pending);
  vi.advanceTimersByTime(1);
  source.emit("SIGINT");
  expect(await second).toBe(130);
});
