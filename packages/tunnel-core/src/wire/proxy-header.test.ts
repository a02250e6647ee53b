import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatRemote, parseRemote } from "./endpoint.ts";
import { proxyHeader } from "./proxy-header.ts";

describe("proxyHeader", () => {
  const target4 = { address: "192.0.2.2", port: 80 };
  const target6 = { address: "2001:DB8:0:0::2", port: 443 };

  test.each([
    ["192.0.2.1", target4, "PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n"],
    ["::ffff:192.0.2.1", target4, "PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n"],
    ["0:0:0:0:0:FFFF:c000:201", target4, "PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n"],
    ["2001:db8::1", target6, "PROXY TCP6 2001:db8::1 2001:db8::2 5 443\r\n"],
    ["fe80::1%eth0", target6, "PROXY TCP6 fe80::1 2001:db8::2 5 443\r\n"],
    ["192.0.2.1", target6, "PROXY UNKNOWN\r\n"],
    ["2001:db8::1", target4, "PROXY UNKNOWN\r\n"],
    ["::ffff:192.0.2.1", target6, "PROXY UNKNOWN\r\n"],
    ["localhost", target4, "PROXY UNKNOWN\r\n"],
    ["1.2.3.4 5.6.7.8 1 2\r\n", target4, "PROXY UNKNOWN\r\n"],
  ])("from %s to %o", (address, destination, expected) => {
    expect(proxyHeader({ address, port: 5 }, destination)).toBe(expected);
  });

  test("is never longer than version 1 allows", () => {
    const longest = { address: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", port: 65_535 };
    expect(proxyHeader(longest, longest).length).toBeLessThanOrEqual(107);
  });
});

describe("parseRemote", () => {
  test.each([
    ["1.2.3.4:5", { address: "1.2.3.4", port: 5 }],
    ["255.255.255.255:65535", { address: "255.255.255.255", port: 65_535 }],
    ["127.0.0.1:0", { address: "127.0.0.1", port: 0 }],
    ["[::]:1", { address: "::", port: 1 }],
    ["[2001:db8::1]:443", { address: "2001:db8::1", port: 443 }],
    ["[fe80::1%eth0]:443", { address: "fe80::1%eth0", port: 443 }],
  ])("reads %s", (text, expected) => {
    expect(parseRemote(text)).toEqual(expected);
    expect(formatRemote(expected.address, expected.port)).toBe(text);
  });

  test.each([
    "",
    ":",
    ":80",
    "1.2.3.4",
    "1.2.3.4:",
    "1.2.3.4:65536",
    "1.2.3.4:080",
    "1.2.3.4:+80",
    "1.2.3.4:8e1",
    "1.2.3.4:80 ",
    "1.2.3:80",
    "localhost:80",
    "[1.2.3.4]:80",
    "::1:80",
    "[::1]80",
    "[::1:80",
    "[]:80",
    "[:80",
    "[::1%]:80",
    '[::1%"]:80',
    "1.2.3.4\r\n:80",
  ])("refuses %j", (text) => {
    expect(parseRemote(text)).toBeUndefined();
  });

  test("takes any text without throwing, and what it takes is written back alike", () => {
    const unit = fc.constantFrom(..."0123456789abcdef.:[]%");
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit, maxLength: 24 })), (text) => {
        const remote = parseRemote(text);
        if (remote !== undefined && !/^\[::ffff:\d/i.test(text)) {
          expect(formatRemote(remote.address, remote.port)).toBe(text);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

test("formatRemote writes the addresses of a dual-stack listener as IPv4", () => {
  expect(formatRemote("::ffff:192.0.2.1", 5)).toBe("192.0.2.1:5");
  expect(formatRemote("::FFFF:192.0.2.1", 5)).toBe("192.0.2.1:5");
  expect(formatRemote("::ffff:1:2", 5)).toBe("[::ffff:1:2]:5");
});
