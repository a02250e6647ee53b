import { expect, it } from "vitest";
import { createGate } from "../test/support/gate.ts";
import { OperationQueue } from "./operation-queue.ts";

it("runs operations in order, and goes on after one that fails", async () => {
  const queue = new OperationQueue(10);
  const steps: string[] = [];
  const first = queue.run(async () => {
    await Promise.resolve();
    steps.push("first");
    throw new Error("no");
  });
  const second = queue.run(async () => {
    steps.push("second");
    return 2;
  });
  await expect(first).rejects.toThrow("no");
  expect(await second).toBe(2);
  expect(steps).toEqual(["first", "second"]);
});

it("refuses more than its limit, and takes others when one is through", async () => {
  const queue = new OperationQueue(1);
  const gate = createGate();
  const first = queue.run(() => gate.promise);
  await expect(queue.run(async () => 1)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  gate.open();
  await first;
  await Promise.resolve();
  expect(await queue.run(async () => 2)).toBe(2);
});
