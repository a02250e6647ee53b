import { describe, expect, test } from "vitest";
import { parseTarget } from "./parse-target.ts";

describe("parseTarget", () => {
  test.each([
    ["h:1", "h", 1],
    ["my_host-1.example.com.:65535", "my_host-1.example.com.", 65_535],
    ["bücher.example:80", "bücher.example", 80],
    ["10.0.0.1:22", "10.0.0.1", 22],
    ["[::1]:22", "::1", 22],
    ["[fe80::1%eth0]:22", "fe80::1%eth0", 22],
    ["[::ffff:10.0.0.1]:22", "::ffff:10.0.0.1", 22],
  ])("takes %s", (text, host, port) => {
    expect(parseTarget(text)).toEqual({ host, port });
  });

  test.each([
    "",
    ":",
    "h",
    "h:",
    ":1",
    "h:0",
    "h:65536",
    "h:99999",
    "h:-1",
    "h:1.5",
    "h: 1",
    "a b:1",
  ])("refuses %j", (text) => {
    expect(parseTarget(text)).toBeUndefined();
  });

  test.each(["::1:22", "[::1]", "[h]:22", "[10.0.0.1]:22", "u@h:1", "h:1/", "h:1\n", "h\u0000:1"])(
    "refuses %j too",
    (text) => {
      expect(parseTarget(text)).toBeUndefined();
    },
  );
});
