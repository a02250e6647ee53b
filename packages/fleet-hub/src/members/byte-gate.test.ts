import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ByteGate } from "./byte-gate.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** A gate of 100 bytes, and who has passed it. */
function setUp() {
  const gate = new ByteGate(100);
  const passed: string[] = [];
  const enter = async (name: string, bytes: number, signal?: AbortSignal, key = "m") => {
    const leave = await gate.enter(key, bytes, { timeoutMs: 1000, signal });
    passed.push(name);
    return leave;
  };
  return { passed, enter };
}

test("so many bytes pass at once, the others in turn as room comes", async () => {
  const { passed, enter } = setUp();
  const leaveA = await enter("a", 60);
  const leaveB = await enter("b", 40);
  const c = enter("c", 70);
  // It would have room, but others came before it.
  const d = enter("d", 10);
  await vi.advanceTimersByTimeAsync(10);
  expect(passed).toEqual(["a", "b"]);
  leaveB();
  await vi.advanceTimersByTimeAsync(10);
  expect(passed).toEqual(["a", "b"]);
  leaveA();
  const [leaveC, leaveD] = await Promise.all([c, d]);
  expect(passed).toEqual(["a", "b", "c", "d"]);
  leaveC();
  leaveD();
});

test("who brings nothing passes at once, and takes nobody's place away", async () => {
  const { passed, enter } = setUp();
  const leaveNone = await enter("none", 0);
  const leaveNothing = await enter("nothing", 0);
  leaveNone();
  const leaveA = await enter("a", 100);
  leaveNothing();
  const b = enter("b", 100);
  (await enter("short", 0))();
  await vi.advanceTimersByTimeAsync(10);
  expect(passed).toEqual(["none", "nothing", "a", "short"]);
  leaveA();
  (await b)();
});

test("what is more than all of it passes alone; another road is not concerned", async () => {
  const { passed, enter } = setUp();
  const leave = await enter("long", 500);
  const next = enter("next", 1);
  (await enter("other", 500, undefined, "n"))();
  await vi.advanceTimersByTimeAsync(10);
  expect(passed).toEqual(["long", "other"]);
  leave();
  (await next)();
  expect(passed).toEqual(["long", "other", "next"]);
});

test("who waits for too long, or is gone, is not in the way of those behind", async () => {
  const { passed, enter } = setUp();
  const leave = await enter("a", 60);
  const gone = new AbortController();
  const left = enter("gone", 60, gone.signal);
  const late = enter("late", 70);
  const refused = expect(late).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await vi.advanceTimersByTimeAsync(500);
  const short = enter("short", 40);
  gone.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
  await vi.advanceTimersByTimeAsync(500);
  await refused;
  (await short)();
  expect(passed).toEqual(["a", "short"]);
  leave();
  await expect(enter("b", 1, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
});
