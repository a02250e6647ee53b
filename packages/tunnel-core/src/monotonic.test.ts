import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { monotonicMs } from "./monotonic.ts";

it("is the same in every thread, whenever it began", async () => {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     parentPort.on("message", () => {
       const [s, n] = process.hrtime();
       parentPort.postMessage([s * 1000 + n / 1e6, performance.now()]);
     });`,
    { eval: true },
  );
  try {
    await once(worker, "online");
    const before = monotonicMs();
    worker.postMessage("now");
    const [[there, own]] = await once(worker, "message");
    const after = monotonicMs();
    expect(there).toBeGreaterThanOrEqual(before);
    expect(there).toBeLessThanOrEqual(after);
    // What would be compared with the other clock is off by the age of the process.
    expect(Math.abs(own - performance.now())).toBeGreaterThan(0.001);
  } finally {
    await worker.terminate();
  }
});
