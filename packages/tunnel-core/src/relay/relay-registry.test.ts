import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type IdleCheckable, RelayRegistry } from "./relay-registry.ts";

class Member implements IdleCheckable {
  active = true;
  idleSweeps = 0;
  ends: string[] = [];
  readonly #registry: RelayRegistry;

  constructor(registry: RelayRegistry) {
    this.#registry = registry;
    registry.add(this);
  }
  expire(): void {
    this.ends.push("expired");
    this.#registry.delete(this);
  }
  limitsChanged(): void {}
  cut(): void {
    this.ends.push("cut");
    this.#registry.delete(this);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("RelayRegistry", () => {
  test("expires a member after its idle time and no later than a quarter more", () => {
    const registry = new RelayRegistry(400);
    const member = new Member(registry);
    vi.advanceTimersByTime(399);
    expect(member.ends).toEqual([]);
    vi.advanceTimersByTime(101);
    expect(member.ends).toEqual(["expired"]);
    vi.advanceTimersByTime(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("members that come and go one after another share a timer", () => {
    const registry = new RelayRegistry(400);
    const starts = vi.spyOn(globalThis, "setInterval");
    for (let count = 0; count < 5; count++) new Member(registry).cut();
    expect(starts).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(50);
    const late = new Member(registry);
    vi.advanceTimersByTime(400);
    expect(late.ends).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(late.ends).toEqual(["expired"]);
    vi.advanceTimersByTime(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("cutAll leaves no timer", () => {
    const registry = new RelayRegistry(400);
    const member = Object.assign(new Member(registry), { lasts: () => undefined });
    registry.add(member);
    registry.add(member);
    expect(vi.getTimerCount()).toBe(2);
    registry.cutAll();
    expect(member.ends).toEqual(["cut"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("keeps a member that is active now and then", () => {
    const registry = new RelayRegistry(400);
    const member = new Member(registry);
    for (let count = 0; count < 20; count++) {
      vi.advanceTimersByTime(350);
      member.active = true;
    }
    expect(member.ends).toEqual([]);
  });

  test("0 never expires, without a timer", () => {
    const registry = new RelayRegistry(0);
    new Member(registry);
    expect(vi.getTimerCount()).toBe(0);
    expect(registry.size).toBe(1);
  });

  test("drained tells whether all have gone in time", async () => {
    const registry = new RelayRegistry(0);
    expect(await registry.drained(100)).toBe(true);
    const first = new Member(registry);
    const second = new Member(registry);
    expect(await registry.drained(0)).toBe(false);
    const inTime = registry.drained(100);
    first.cut();
    second.cut();
    expect(await inTime).toBe(true);
    new Member(registry);
    const late = registry.drained(100);
    vi.advanceTimersByTime(100);
    expect(await late).toBe(false);
    registry.cutAll();
    expect(registry.size).toBe(0);
  });

  test("the first one is told at once that it lasts, others when they are open after a second", () => {
    const registry = new RelayRegistry(0);
    const told: string[] = [];
    registry.add(Object.assign(new Member(registry), { lasts: () => told.push("first") }));
    expect(told).toEqual(["first"]);
    registry.cutAll();
    told.length = 0;
    const open = (name: string): Member => {
      const member = new Member(registry);
      return Object.assign(member, { lasts: () => told.push(name) });
    };
    const short = open("short");
    // The registry looks at a member when it is added.
    registry.delete(short);
    const long = open("long");
    registry.delete(long);
    registry.add(short);
    registry.add(long);
    registry.delete(short);
    vi.advanceTimersByTime(1000);
    expect(told).toEqual(["long"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
