import { describe, expect, test } from "vitest";
import { Bans, sourceOf } from "./bans.ts";

function setUp() {
  let now = 0;
  const bans = new Bans(() => now);
  return {
    bans,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

describe("bans", () => {
  test("begin at 15 s of penalties, which add up and run off", () => {
    const { bans, wait } = setUp();
    expect([bans.punish("192.0.2.1", "proof"), bans.punish("192.0.2.1", "proof")]).toEqual([
      undefined,
      undefined,
    ]);
    expect(bans.has("192.0.2.1")).toBe(false);
    expect(bans.punish("192.0.2.1", "proof")).toBe(15_000);
    expect(bans.has("192.0.2.1")).toBe(true);
    expect(bans.has("192.0.2.2")).toBe(false);
    expect(bans.list()).toMatchObject([{ address: "192.0.2.1", offences: 3 }]);
    wait(14_999);
    expect(bans.has("192.0.2.1")).toBe(true);
    wait(1);
    expect(bans.has("192.0.2.1")).toBe(false);
    expect(bans.list()).toEqual([]);
  });

  test("never come of failures that are far apart", () => {
    const { bans, wait } = setUp();
    for (let failure = 0; failure < 100; failure++) {
      bans.punish("192.0.2.1", "proof");
      wait(5000);
    }
    expect(bans.has("192.0.2.1")).toBe(false);
  });

  test("last 10 min at most", () => {
    const { bans, wait } = setUp();
    for (let failure = 0; failure < 1000; failure++) bans.punish("192.0.2.1", "silence");
    wait(599_999);
    expect(bans.has("192.0.2.1")).toBe(true);
    wait(1);
    expect(bans.has("192.0.2.1")).toBe(false);
  });

  test("count a /64 of IPv6 as one, and IPv4-mapped addresses as IPv4", () => {
    const { bans } = setUp();
    for (const last of [1, 2, 3]) bans.punish(`2001:db8::${last}`, "proof");
    expect(bans.has("2001:db8::ffff")).toBe(true);
    expect(bans.has("2001:db8:0:1::1")).toBe(false);
    for (let failure = 0; failure < 3; failure++) bans.punish("::ffff:192.0.2.1", "proof");
    expect(bans.has("192.0.2.1")).toBe(true);
    expect(sourceOf("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  });

  test("are lifted, one or all", () => {
    const { bans } = setUp();
    for (const address of ["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"]) {
      for (let failure = 0; failure < 3; failure++) bans.punish(address, "proof");
    }
    expect(bans.lift("192.0.2.9")).toBe(0);
    expect(bans.lift("192.0.2.1")).toBe(1);
    expect(bans.lift(bans.list().find(({ address }) => address.includes(":"))?.address)).toBe(1);
    expect(bans.has("192.0.2.1") || bans.has("2001:db8::1")).toBe(false);
    expect(bans.lift()).toBe(2);
    expect(bans.list()).toEqual([]);
  });

  test("spare who is exempt", () => {
    const { bans } = setUp();
    for (let failure = 0; failure < 3; failure++) bans.punish("192.0.2.1", "proof");
    bans.isExempt = (address) => address === "192.0.2.1";
    expect(bans.has("192.0.2.1")).toBe(false);
  });

  test("remember so many addresses, the latest", () => {
    const { bans } = setUp();
    for (let failure = 0; failure < 3; failure++) bans.punish("192.0.2.1", "proof");
    for (let one = 0; one < 16_384; one++) bans.punish(`10.0.${one >> 8}.${one & 255}`, "proof");
    expect(bans.has("192.0.2.1")).toBe(false);
    for (let failure = 0; failure < 2; failure++) bans.punish("10.0.63.255", "proof");
    expect(bans.has("10.0.63.255")).toBe(true);
  });
});
