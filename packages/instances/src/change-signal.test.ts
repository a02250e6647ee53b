import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ChangeSignal } from "./change-signal.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("resolves when the condition holds, at the limit, or when aborted, and leaves no timer", async () => {
  const signal = new ChangeSignal();
  const abort = new AbortController();
  let done = false;
  const held = signal.until(() => done, 1000);
  const late = signal.until(() => false, 1000);
  const aborted = signal.until(() => false, 1000, abort.signal);
  signal.notify();
  done = true;
  signal.notify();
  expect(await held).toBe(true);
  abort.abort();
  expect(await aborted).toBe(false);
  expect(await signal.until(() => false, 1000, abort.signal)).toBe(false);
  vi.advanceTimersByTime(1000);
  expect(await late).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});
