import { STREAM_RENEW_MS } from "@nodepass/fleet-protocol";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AnswerStream, MEMBER_SILENCE_MS } from "./answer-stream.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function open() {
  const said: string[] = [];
  const stream = new AnswerStream({
    credit: (bytes) => said.push(`credit ${bytes}`),
    cancel: () => said.push("cancel"),
    onGone: () => said.push("gone"),
    silenceMs: MEMBER_SILENCE_MS,
  });
  return { stream, said };
}

const chunk = (n: number, text = "x", end = false) => ({
  n,
  data: new TextEncoder().encode(text),
  end,
  error: "",
});

it("says that it is still read, till it is not", async () => {
  const { stream, said } = open();
  const reader = stream.readable.getReader();
  for (let n = 0; n < 3; n++) {
    stream.push(chunk(n));
    await reader.read();
    vi.advanceTimersByTime(STREAM_RENEW_MS);
  }
  expect(said).toEqual(["credit 0", "credit 0", "credit 0"]);
  await reader.cancel();
  vi.advanceTimersByTime(10 * STREAM_RENEW_MS);
  expect(said.slice(3)).toEqual(["cancel", "gone"]);
  expect(vi.getTimerCount()).toBe(0);
});

it("gives read bytes back in steps, and ends when all is read", async () => {
  const { stream, said } = open();
  const reader = stream.readable.getReader();
  for (let n = 0; n < 4; n++) {
    stream.push(chunk(n, "y".repeat(40_000), n === 3));
    expect((await reader.read()).value?.byteLength).toBe(40_000);
  }
  expect((await reader.read()).done).toBe(true);
  // What came last needs none.
  expect(said).toEqual(["credit 80000", "gone"]);
  expect(vi.getTimerCount()).toBe(0);
});

it("is broken off by a piece out of its turn, and hears no more", async () => {
  const { stream, said } = open();
  const reader = stream.readable.getReader();
  const read = reader.read();
  stream.push(chunk(1));
  await expect(read).rejects.toThrow("a piece of the answer is missing");
  stream.push(chunk(0));
  stream.fail("again");
  expect(said).toEqual(["cancel", "gone"]);
});
