import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { contextFor } from "../../test/support/memory-context.ts";
import { TargetHealth, weightedTurns } from "./target-health.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function healthOf(targets: string, query: string, protocol: "tcp" | "udp" = "tcp") {
  const health = new TargetHealth(contextFor(`client://:1/${targets}?mode=1&${query}`), protocol);
  const first = (address?: string): string => {
    const [target] = health.turn({}, address);
    return target?.host ?? "";
  };
  const named = (host: string) => {
    const found = health.all.find((target) => target.host === host);
    if (found === undefined) throw new Error(`no target ${host}`);
    return found;
  };
  return { health, first, named };
}

test.each([
  [[1], [0]],
  [
    [1, 1, 1],
    [0, 1, 2],
  ],
  [
    [3, 1],
    [0, 0, 1, 0],
  ],
  [
    [5, 1, 1],
    [0, 0, 1, 0, 2, 0, 0],
  ],
])("weights %j are turns %j", (weights, turns) => {
  expect(weightedTurns(weights)).toEqual(turns);
});

test("weights give turns, with lbs and without", () => {
  for (const query of ["", "lbs=0"]) {
    const { first } = healthOf("a:1*3,b:1", query);
    const got = Array.from({ length: 8 }, () => first()).join("");
    expect(got).toBe("aabaaaba");
  }
});

describe("lbs", () => {
  test("2 takes the first that works, and returns to it", () => {
    const { health, first, named } = healthOf("a:1,b:1,c:1", "lbs=2");
    expect([first(), first()]).toEqual(["a", "a"]);
    const rests = vi.fn();
    health.onRests = rests;
    health.failed(named("a"), new Error("refused"));
    expect([first(), first()]).toEqual(["b", "b"]);
    expect(rests).toHaveBeenCalledTimes(1);
    // No user tries it, however long that takes.
    vi.advanceTimersByTime(3_600_000);
    expect(first()).toBe("b");
    expect(health.resting).toEqual([named("a")]);
    health.worked(named("a"));
    expect(first()).toBe("a");
  });

  test("1 takes the quickest, by a mean", () => {
    const { health, first, named } = healthOf("a:1,b:1", "lbs=1");
    health.measured(named("a"), 20);
    // Never measured: it is known then.
    expect(first()).toBe("b");
    health.measured(named("b"), 10);
    expect(first()).toBe("b");
    health.measured(named("b"), 30);
    expect(first()).toBe("b");
    for (let time = 0; time < 10; time++) health.measured(named("b"), 40);
    expect(first()).toBe("a");
  });

  test("over UDP the next session tries a target that has rested", () => {
    const { health, first, named } = healthOf("a:1,b:1", "lbs=2", "udp");
    health.failed(named("a"), new Error("refused"));
    expect(first()).toBe("b");
    vi.advanceTimersByTime(300_000);
    expect([first(), first()]).toEqual(["a", "b"]);
  });
});

describe("sticky", () => {
  const users = Array.from({ length: 600 }, (_, user) => `10.0.${user >> 8}.${user & 255}`);

  test("gives an address one target, in proportion to the weights", () => {
    const { first } = healthOf("a:1*2,b:1", "sticky=1");
    const given = users.map((user) => first(user));
    expect(users.map((user) => first(user))).toEqual(given);
    const share = given.filter((target) => target === "a").length / users.length;
    expect(share).toBeGreaterThan(0.58);
    expect(share).toBeLessThan(0.75);
  });

  test("moves only the users of a target that rests, and back", () => {
    const { health, first, named } = healthOf("a:1,b:1,c:1", "sticky=1");
    const given = users.map((user) => first(user));
    health.failed(named("b"), new Error("refused"));
    const meanwhile = users.map((user) => first(user));
    for (const [at, target] of given.entries()) {
      if (target !== "b") expect(meanwhile[at]).toBe(target);
    }
    expect(new Set(meanwhile)).toEqual(new Set(["a", "c"]));
    health.worked(named("b"));
    expect(users.map((user) => first(user))).toEqual(given);
  });
});
