import { expect, test } from "vitest";
import { type Flushable, FlushQueue } from "./flush-queue.ts";

const turn = () => new Promise(setImmediate);

test("flushes each member once, at the end of the turn", async () => {
  const queue = new FlushQueue();
  const flushed: string[] = [];
  const member = (name: string): Flushable => ({
    flushQueued: false,
    flush: () => void flushed.push(name),
  });
  const a = member("a");
  queue.add(a);
  queue.add(a);
  queue.add(member("b"));
  expect(flushed).toEqual([]);
  await turn();
  expect(flushed).toEqual(["a", "b"]);
  queue.add(a);
  await turn();
  expect(flushed).toEqual(["a", "b", "a"]);
});

test("what is added during a flush comes in the next turn", async () => {
  const queue = new FlushQueue();
  let flushes = 0;
  const member: Flushable = {
    flushQueued: false,
    flush: () => {
      if (++flushes < 3) queue.add(member);
    },
  };
  queue.add(member);
  for (let count = 0; count < 5; count++) await turn();
  expect(flushes).toBe(3);
});
