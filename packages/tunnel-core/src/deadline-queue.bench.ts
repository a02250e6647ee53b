import { test } from "vitest";
import { DeadlineQueue } from "./deadline-queue.ts";

test("deadline queue", async ({ bench }) => {
  const queue = new DeadlineQueue<object>(60_000, () => undefined);
  const waiting = Array.from({ length: 1000 }, () => ({}));
  for (const member of waiting) queue.add(member);
  const member = {};
  await bench("add and delete one, 1000 waiting", () => {
    queue.add(member);
    queue.delete(member);
  }).run();
  queue.clear(() => undefined);
});
