import { expect, test } from "vitest";
import { monotonicMs } from "./monotonic.ts";
import { Slots } from "./slots.ts";

test("bounds all, and each address on its own", () => {
  const slots = new Slots(3, 2);
  const taken = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"].map((address) =>
    slots.take(address),
  );
  expect(taken).toEqual(["192.0.2.1", "192.0.2.1", undefined, "192.0.2.2", undefined]);
  expect(slots.isFull).toBe(true);
  slots.release("192.0.2.1");
  expect(slots.isFull).toBe(false);
  expect(slots.take("192.0.2.1")).toBe("192.0.2.1");
  slots.release("192.0.2.1");
  slots.release("192.0.2.1");
  slots.release("192.0.2.2");
  expect([slots.used, slots.addresses]).toEqual([0, 0]);
});

test("counts an IPv4-mapped address as IPv4, and a /64 of IPv6 as one", () => {
  const slots = new Slots(0, 1);
  expect(slots.take("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(slots.take("192.0.2.1")).toBeUndefined();
  expect(slots.take("2001:db8::1")).toBe("2001:db8:0:0::/64");
  expect(slots.take("2001:db8::2")).toBeUndefined();
  expect(slots.take("2001:db8:0:1::2")).toBeDefined();
});

test("remembers no address while nothing is counted by them", () => {
  const slots = new Slots(0);
  const early = slots.take("192.0.2.1");
  expect([early, slots.addresses, slots.used]).toEqual(["", 0, 1]);
  slots.setPerAddress(1);
  expect(slots.take("192.0.2.1")).toBe("192.0.2.1");
  expect(slots.take("192.0.2.1")).toBeUndefined();
  // The one from before was not counted.
  slots.release(early ?? "");
  expect(slots.take("192.0.2.1")).toBeUndefined();
  slots.setPerAddress(0);
  expect(slots.take("192.0.2.1")).toBe("");
  slots.release("192.0.2.1");
  expect(slots.addresses).toBe(0);
});

test("gives none after the time in which there are any, with and without a limit", () => {
  for (const limit of [0, 2]) {
    const slots = new Slots(limit);
    slots.setUntil(monotonicMs() + 60_000);
    expect([slots.take(""), slots.isOver]).toEqual(["", false]);
    slots.setUntil(monotonicMs());
    expect([slots.take(""), slots.isOver, slots.isFull]).toEqual([undefined, true, true]);
    slots.setLimit(limit);
    expect(slots.take("")).toBeUndefined();
    slots.setUntil(undefined);
    expect(slots.take("")).toBe("");
    expect(slots.used).toBe(2);
  }
});
