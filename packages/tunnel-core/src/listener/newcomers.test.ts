import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Newcomer, Newcomers, type NewcomersOptions } from "./newcomers.ts";

/** Somebody who counts as a newcomer until told otherwise. */
class Somebody implements Newcomer {
  readonly address: string;
  destroyed = false;

  constructor(address: string) {
    this.address = address;
  }
  drop(): void {
    this.destroyed = true;
  }
}

const add = (newcomers: Newcomers, address: string): Somebody => {
  const somebody = new Somebody(address);
  newcomers.add(somebody);
  return somebody;
};

const open = (options: Partial<NewcomersOptions> = {}): Newcomers =>
  new Newcomers({
    timeoutMs: 1000,
    onDropped: () => undefined,
    expectsMany: () => false,
    ...options,
  });

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Newcomers", () => {
  test("closes who has not proved itself in time, and nobody else", () => {
    const dropped: string[] = [];
    const newcomers = open({ onDropped: (reason) => dropped.push(reason) });
    const silent = add(newcomers, "192.0.2.1");
    const proved = add(newcomers, "192.0.2.1");
    newcomers.delete(proved);
    vi.advanceTimersByTime(1000);
    expect([silent.destroyed, proved.destroyed, newcomers.size]).toEqual([true, false, 0]);
    expect(dropped.length).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("the oldest of an address makes room for its 257th", () => {
    const newcomers = open();
    const sockets = Array.from({ length: 260 }, () => add(newcomers, "192.0.2.1"));
    const other = add(newcomers, "192.0.2.2");
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual(sockets.map((_, index) => index < 4));
    expect(other.destroyed).toBe(false);
    expect(newcomers.size).toBe(257);
  });

  test("of many addresses, the one with most gives up its oldest", () => {
    const newcomers = open();
    const greedy = Array.from({ length: 200 }, () => add(newcomers, "192.0.2.1"));
    const others = Array.from({ length: 824 }, (_, index) => add(newcomers, `198.51.100.${index}`));
    expect(newcomers.size).toBe(1024);
    const late = add(newcomers, "203.0.113.1");
    expect(newcomers.size).toBe(1024);
    expect(greedy.filter(({ destroyed }) => destroyed)).toEqual([greedy[0]]);
    expect([...others, late].some(({ destroyed }) => destroyed)).toBe(false);
  });

  test("forgets who closes, and closes all at the end", () => {
    const newcomers = open();
    const gone = add(newcomers, "192.0.2.1");
    newcomers.delete(gone);
    expect(newcomers.size).toBe(0);
    const left = add(newcomers, "192.0.2.1");
    newcomers.close();
    expect([left.destroyed, newcomers.size, vi.getTimerCount()]).toEqual([true, 0, 0]);
  });
});

test("the present client's address has more than others, within the bound of all", () => {
  const newcomers = open({ expectsMany: (address) => address === "192.0.2.1" });
  const clients = Array.from({ length: 512 }, () => add(newcomers, "192.0.2.1"));
  const others = Array.from({ length: 300 }, () => add(newcomers, "192.0.2.2"));
  expect(clients.some(({ destroyed }) => destroyed)).toBe(false);
  expect(others.filter(({ destroyed }) => destroyed).length).toBe(44);
  add(newcomers, "192.0.2.1");
  expect(clients.filter(({ destroyed }) => destroyed)).toEqual([clients[0]]);
  expect(newcomers.size).toBe(512 + 256);
  newcomers.close();
});
