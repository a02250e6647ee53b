import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LogQueue } from "./log-queue.ts";

const entry = (line: string, sequence = 0) => ({ state: "a", line, time: 0, sequence });

describe("LogQueue", () => {
  test("gives lines back in order", () => {
    const queue = new LogQueue<string>({ maxLines: 10, maxCharacters: 100 });
    for (const line of ["a", "b", "c"]) queue.push(entry(line));
    expect(queue.shift()?.line).toBe("a");
    expect(queue.peek()?.line).toBe("b");
    expect([queue.shift()?.line, queue.shift()?.line]).toEqual(["b", "c"]);
    expect(queue.shift()).toBeUndefined();
  });

  test("drops the oldest beyond its characters, and counts until it is asked", () => {
    const queue = new LogQueue<string>({ maxLines: 10, maxCharacters: 10 });
    queue.push(entry("12345"));
    queue.push(entry("67890"));
    queue.push(entry("x"));
    expect(queue.peek()?.line).toBe("67890");
    expect(queue.takeDropped()).toBe(1);
    expect(queue.takeDropped()).toBe(0);
  });

  test("never holds more than its bounds, and loses nothing uncounted", () => {
    const steps = fc.array(fc.oneof(fc.constant("shift" as const), fc.nat(8)));
    fc.assert(
      fc.property(steps, (all) => {
        const queue = new LogQueue<string>({ maxLines: 4, maxCharacters: 20 });
        let pushed = 0;
        let shifted = 0;
        for (const step of all) {
          if (step === "shift") {
            if (queue.shift() !== undefined) shifted += 1;
          } else {
            queue.push(entry("x".repeat(step), pushed));
            pushed += 1;
          }
          expect(queue.size).toBeLessThanOrEqual(4);
          expect(queue.size + shifted + queue.dropped).toBe(pushed);
        }
      }),
    );
  });
});
