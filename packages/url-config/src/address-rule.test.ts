import { describe, expect, test } from "vitest";
import { isNetwork, readAddressRule } from "./address-rule.ts";
import { parse, parseLenient } from "./parse-url.ts";

describe("networks", () => {
  test.each([
    "10.0.0.1",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "::",
    "2001:db8::/32",
    "::ffff:10.0.0.0/104",
    "::1/128",
  ])("%s is one", (text) => expect(isNetwork(text)).toBe(true));
  test.each([
    "",
    "10.0.0",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/8/8",
    "::1/129",
    "fe80::1%eth0",
    "[::1]",
    "example.com",
    "10.0.0.1:80",
  ])("%j is none", (text) => expect(isNetwork(text)).toBe(false));
});

test("rules say for which port they are", () => {
  expect(readAddressRule("users:2001:db8::/32")).toEqual({
    at: "users",
    network: "2001:db8::/32",
    file: undefined,
  });
  expect(readAddressRule("file:/etc/a:b")).toEqual({
    at: "all",
    network: undefined,
    file: "/etc/a:b",
  });
  expect(readAddressRule("peers:file:x")?.file).toBe("x");
  for (const text of ["", "file:", "visitors:10.0.0.1", "users:", "users:peers:10.0.0.1"]) {
    expect(readAddressRule(text)).toBeUndefined();
  }
});

describe("in URLs", () => {
  test("are lists", () => {
    const settings = parse("server://:1/:2?mode=1&allow=10.0.0.0/8,peers:::1,file:a%20b&deny=none");
    expect(settings.allow).toEqual(["10.0.0.0/8", "peers:::1", "file:a b"]);
    expect(settings.deny).toEqual([]);
    expect(parse("master://:9090?allow=127.0.0.0/8").allow).toEqual(["127.0.0.0/8"]);
  });

  test.each([
    [
      "server://:1/:2?allow=10.0.0.0/8,10.0.0.0/33",
      /allow .* has the item \\?"10\.0\.0\.0\/33\\?"/,
    ],
    ["server://:1/:2?allow=", /allow is not valid|allow is empty/],
    ["server://:1/:2?deny=10.0.0.1&deny=10.0.0.2", /deny "10\.0\.0\.2" is given more than once/],
    ["server://:1/:2?deny=%zz", /deny "%zz" has a broken percent-escape/],
    ["server://:1/:2?trust=10.0.0.0/99", /trust "10\.0\.0\.0\/99" is not valid/],
    ["server://:1/:2?trust=users:10.0.0.1", /is for the users' port alone/],
    ["server://:1/:2?mode=2&trust=10.0.0.1", /with mode=2 users connect at the client/],
    [
      "server://:1/:2?host=a.example,-b",
      /host "a\.example,-b" has the item \\?"-b\\?", which is no name/,
    ],
    ["server://:1/:2?host=*", /host "\*" is not valid/],
    ["server://:1/:2?host=a.example,A.example.", /names one twice/],
    ["server://:1/:2?mode=2&host=a.example", /with mode=2 users connect at the client/],
    ["server://:1/:2?notcp=1&host=a.example", /names are asked for over TCP/],
    [
      "server://:1/:2?quota=500",
      /quota "500" is not valid \(allowed: none, or a size such as 500GB/,
    ],
    ["server://:1/:2?quota=0GB/month", /quota/],
    ["server://:1/:2?quota=9999999TB", /quota/],
    ["server://:1/:2?quota=1GB/week", /quota/],
    ["server://:1/:2?rateconn=x", /rateconn "x" is not valid/],
    ["client://h:1/t:2?slotip=-1", /slotip "-1" is not valid/],
    ["client://h:1/t:2?udpidle=x", /udpidle "x" is not valid/],
    ["client://h:1/t:2?quotaday=0", /quotaday "0" is not valid/],
    ["client://h:1/t:2?sticky=2", /sticky "2" is not valid/],
    ["client://h:1/t:2?host=a.example", /host/],
    ["client://h:1/t:2?ban=1", /ban/],
    ["server://:1/:2?ban=yes", /ban "yes" is not valid \(allowed: 0, 1\)/],
    [`server://:1/:2?deny=${Array(257).fill("::1").join(",")}`, /has 257 items, more than 256/],
    ["server://:1/:2?mode=2&deny=users:10.0.0.1", /with mode=2 they connect at the client/],
    ["client://h:1/t:2?allow=peers:10.0.0.1", /which a client does not have/],
    ["master://:9090?allow=users:10.0.0.1", /which an API is not/],
  ])("%s is an error, in either reading: to overlook it would let everybody in", (url, message) => {
    expect(() => parse(url)).toThrow(message);
    expect(() => parseLenient(url)).toThrow(message);
  });
});
