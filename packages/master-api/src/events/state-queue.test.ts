import { type Instance, NO_COUNTERS } from "@nodepass/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StateQueue } from "./state-queue.ts";

const instance = (id: string, tcprx = 0): Instance => ({
  id,
  alias: "",
  type: "server",
  status: "running",
  url: "",
  config: "",
  restart: true,
  meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
  mode: 0,
  ...NO_COUNTERS,
  tcprx,
  link: "down",
  reason: "",
  since: "2026-01-02T03:04:05.678Z",
  nextRetry: null,
  restingTargets: [],
});

const newQueue = (spacingMs = 100) => new StateQueue<Instance>(spacingMs, ({ id }) => id);

function takeAll(queue: StateQueue<Instance>, now: number): string[] {
  const taken: string[] = [];
  for (let next = queue.peek(now); next !== undefined; next = queue.peek(now)) {
    queue.take(next, now);
    taken.push(`${next.type} ${next.state.id} ${next.state.tcprx}`);
  }
  return taken;
}

describe("StateQueue", () => {
  test("keeps one entry for each instance, with the latest state, in order of arrival", () => {
    const queue = newQueue();
    queue.push("update", instance("a", 1), 0, 1);
    queue.push("update", instance("b", 1), 0, 2);
    queue.push("update", instance("a", 2), 0, 3);
    expect(queue.size).toBe(2);
    expect(takeAll(queue, 0)).toEqual(["update a 2", "update b 1"]);
    expect(queue.size).toBe(0);
  });

  test("holds the next state of an instance back, not those of others", () => {
    const queue = newQueue();
    queue.push("update", instance("a", 1), 0, 1);
    expect(takeAll(queue, 10)).toEqual(["update a 1"]);
    queue.push("update", instance("a", 2), 0, 2);
    queue.push("update", instance("b", 3), 0, 3);
    expect(takeAll(queue, 20)).toEqual(["update b 3"]);
    expect(queue.nextDueAt()).toBe(110);
    expect(takeAll(queue, 109)).toEqual([]);
    expect(takeAll(queue, 110)).toEqual(["update a 2"]);
    expect(queue.nextDueAt()).toBeUndefined();
  });

  test("tells create and then update, apart, both with the latest state", () => {
    const queue = newQueue();
    queue.push("create", instance("a", 1), 0, 1);
    queue.push("update", instance("a", 2), 0, 2);
    expect(takeAll(queue, 0)).toEqual(["create a 2"]);
    expect(takeAll(queue, 100)).toEqual(["update a 2"]);
  });

  test("lets initial swallow the updates before it", () => {
    const queue = newQueue();
    queue.push("initial", instance("a", 1), 0, 1);
    queue.push("update", instance("a", 2), 0, 2);
    expect(takeAll(queue, 0)).toEqual(["initial a 2"]);
    expect(queue.size).toBe(0);
  });

  test("lets delete swallow all before it, and does not hold it back", () => {
    const queue = newQueue();
    queue.push("update", instance("a", 1), 0, 1);
    expect(takeAll(queue, 0)).toEqual(["update a 1"]);
    queue.push("update", instance("a", 2), 0, 2);
    queue.push("delete", instance("a", 2), 0, 3);
    expect(queue.peek(0)?.sequence).toBe(3);
    expect(takeAll(queue, 0)).toEqual(["delete a 2"]);
  });

  test("ends, whatever happens, with the reader knowing the last state of each instance", () => {
    const step = fc.record({
      type: fc.constantFrom("create" as const, "update" as const, "delete" as const),
      id: fc.constantFrom("a", "b", "c"),
      waitMs: fc.nat(150),
      read: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = newQueue();
        const truth = new Map<string, number>();
        const known = new Map<string, number>();
        const lastAt = new Map<string, number>();
        let now = 0;
        const read = () => {
          for (let next = queue.peek(now); next !== undefined; next = queue.peek(now)) {
            queue.take(next, now);
            const { id, tcprx } = next.state;
            if (next.type === "delete") {
              known.delete(id);
              lastAt.delete(id);
            } else {
              expect(now - (lastAt.get(id) ?? -100)).toBeGreaterThanOrEqual(100);
              lastAt.set(id, now);
              known.set(id, tcprx);
            }
          }
        };
        steps.forEach(({ type, id, waitMs, read: reads }, index) => {
          // As a service does: nothing is created twice, nothing unknown changes.
          if ((type === "create") === truth.has(id)) return;
          if (type === "delete") truth.delete(id);
          else truth.set(id, index);
          queue.push(type, instance(id, index), 0, index);
          expect(queue.size).toBeLessThanOrEqual(3);
          now += waitMs;
          if (reads) read();
        });
        for (let round = 0; round < 3; round += 1) {
          now += 100;
          read();
        }
        expect(known).toEqual(truth);
        expect(queue.size).toBe(0);
      }),
    );
  });
});
