import fc from "fast-check";
import { expect, test } from "vitest";
import { addressBytes, canonicalIpv6, isIpv4, isIpv6 } from "./ip-address.ts";

const hex = (text: string) => Buffer.from(addressBytes(text) ?? []).toString("hex");

test.each([
  ["192.0.2.7", "c0000207"],
  ["::", "0".repeat(32)],
  ["::1", `${"0".repeat(31)}1`],
  ["2001:DB8::8:800:200c:417a", "20010db80000000000080800200c417a"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
  ["fe80::", `fe80${"0".repeat(28)}`],
  ["::ffff:192.0.2.7", "00000000000000000000ffffc0000207"],
  ["fe80::1%eth0", "fe800000000000000000000000000001"],
])("%s has the bytes %s", (text, bytes) => {
  expect(hex(text)).toBe(bytes);
});

test.each(["", "host", "1.2.3", "01.2.3.4", "1.2.3.256", ":::", "1::2::3", "::1%"])(
  "%j is no address",
  (text) => {
    expect(addressBytes(text)).toBeUndefined();
  },
);

test("spells an address in one way, and leaves its zone", () => {
  expect(canonicalIpv6("2001:0DB8:0:0::1")).toBe("2001:db8::1");
  expect(canonicalIpv6("FE80::1%Eth0")).toBe("fe80::1%Eth0");
});

test("every generated address is recognised", () => {
  fc.assert(fc.property(fc.ipV4(), (host) => isIpv4(host)));
  fc.assert(fc.property(fc.ipV6(), (host) => isIpv6(host)));
});
