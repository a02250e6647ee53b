import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatHostPort,
  isHostName,
  isLoopback,
  isSameHost,
  isWildcard,
  parseHostPort,
} from "./host-port.ts";
import { isIpv4, isIpv6 } from "./ip-address.ts";
import { UrlConfigError } from "./url-problem.ts";

describe("parseHostPort", () => {
  test.each([
    ["127.0.0.1:80", "127.0.0.1", 80],
    [":80", "", 80],
    [":0", "", 0],
    ["example.com:65535", "example.com", 65_535],
    ["a_b.example-1.com.:1", "a_b.example-1.com.", 1],
    ["[::1]:80", "::1", 80],
    ["[2001:DB8::1]:80", "2001:DB8::1", 80],
    ["[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", 80],
    ["[fe80::1%25eth0]:80", "fe80::1%eth0", 80],
    ["[fe80::1%eth0]:80", "fe80::1%eth0", 80],
    ["1.2.3.4.example:80", "1.2.3.4.example", 80],
  ])("reads %s", (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
  });

  test.each([
    ["", "MISSING"],
    ["host", "MISSING"],
    ["host:", "MISSING"],
    ["[::1]", "MISSING"],
    ["[::1]:", "MISSING"],
    ["host:65536", "INVALID_VALUE"],
    ["host:080", "INVALID_VALUE"],
    ["host:+80", "INVALID_VALUE"],
    ["host:http", "INVALID_VALUE"],
    ["host:80 ", "INVALID_VALUE"],
    ["ho st:80", "INVALID_VALUE"],
    ["-host:80", "INVALID_VALUE"],
    ["host..com:80", "INVALID_VALUE"],
    ["*:80", "INVALID_VALUE"],
    ["256.0.0.1:80", "INVALID_VALUE"],
    ["1.2.3:80", "INVALID_VALUE"],
    ["01.2.3.4:80", "INVALID_VALUE"],
    ["::1:80", "INVALID_VALUE"],
    ["[]:80", "INVALID_VALUE"],
    ["[1.2.3.4]:80", "INVALID_VALUE"],
    ["[host]:80", "INVALID_VALUE"],
    ["[::1]80", "INVALID_VALUE"],
    ["[::1%]:80", "INVALID_VALUE"],
    ["[::1%25a/b]:80", "INVALID_VALUE"],
    ["[:::1]:80", "INVALID_VALUE"],
    ["a]b:80", "INVALID_VALUE"],
    [`${"a".repeat(64)}:80`, "INVALID_VALUE"],
    [`${"a.".repeat(127)}:80`, "INVALID_VALUE"],
  ])("refuses %j", (text, code) => {
    const problems = [expect.objectContaining({ code, parameter: "address", value: text })];
    expect(() => parseHostPort(text)).toThrow(expect.objectContaining({ problems }));
  });

  test("says that an IPv6 address needs brackets", () => {
    expect(() => parseHostPort("fe80::1:80")).toThrow(/brackets/);
  });

  test("throws nothing but its own error, and what it reads is written back", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .tuple(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), fc.nat(70_000))
        .map(([host, port]) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`)),
      fc.stringMatching(/^\[?[0-9a-f:.%]{0,20}\]?:?[0-9]{0,6}$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const address = parseHostPort(text);
          expect(parseHostPort(formatHostPort(address))).toEqual(address);
        } catch (error) {
          expect(error).toBeInstanceOf(UrlConfigError);
        }
      }),
    );
  });
});

test("formatHostPort puts IPv6 into brackets and escapes its zone", () => {
  expect(formatHostPort({ host: "", port: 80 })).toBe(":80");
  expect(formatHostPort({ host: "::1", port: 80 })).toBe("[::1]:80");
  expect(formatHostPort({ host: "fe80::1%eth0", port: 80 })).toBe("[fe80::1%25eth0]:80");
  expect(formatHostPort({ host: "example.com", port: 80 })).toBe("example.com:80");
});

describe("the kinds of hosts", () => {
  test.each([
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "127.0.0.1",
    "127.255.0.3",
    "::1",
    "0:0::0:1",
    "::ffff:127.0.0.1",
    "::FFFF:7f00:1",
  ])("%s is a loopback address", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.each(["", "0.0.0.0", "10.0.0.1", "127.example.com", "::", "::2", "localhost.example"])(
    "%s is no loopback address",
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );

  test.each(["", "0.0.0.0", "::", "0::0", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0"])(
    "%j stands for all interfaces",
    (host) => {
      expect(isWildcard(host)).toBe(true);
    },
  );

  test.each(["127.0.0.1", "::1", "localhost", "0.0.0.1"])("%s is one address", (host) => {
    expect(isWildcard(host)).toBe(false);
  });

  test("the same host may be spelled in several ways", () => {
    expect(isSameHost("Example.com.", "example.COM")).toBe(true);
    expect(isSameHost("2001:db8::1", "2001:0DB8:0:0::1")).toBe(true);
    expect(isSameHost("::ffff:10.0.0.1", "10.0.0.1")).toBe(true);
    expect(isSameHost("fe80::1%eth0", "fe80::1%eth1")).toBe(false);
    expect(isSameHost("10.0.0.1", "10.0.0.2")).toBe(false);
  });

  test("every host is of at most one kind, and none makes the questions throw", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.string()), (host) => {
        const kinds = [isIpv4(host), isIpv6(host), isHostName(host)].filter(Boolean);
        expect(kinds.length).toBeLessThanOrEqual(1);
        expect(isLoopback(host) && isWildcard(host)).toBe(false);
        expect(isSameHost(host, host)).toBe(true);
      }),
    );
  });
});
