import { expect, test } from "vitest";
import { deriveTunnelKey } from "./tunnel-key.ts";

// 10101 is from a NodePass 1.14 node; the rest from the published FNV-1a 32 algorithm.
test.each([
  [10_101, "e68be2b4"],
  [0, "350ca8af"],
  [1, "340ca71c"],
  [443, "2339c1b2"],
  [65_535, "181ab38f"],
])("derives the key of port %d", (port, key) => {
  expect(deriveTunnelKey(port)).toBe(key);
});

test("keeps leading zeros, and every port has a key of 8 digits", () => {
  const keys = new Set<string>();
  for (let port = 0; port <= 65_535; port += 1) {
    const key = deriveTunnelKey(port);
    if (!/^[0-9a-f]{8}$/.test(key)) throw new Error(`port ${port} has the key ${key}`);
    keys.add(key);
  }
  expect([...keys].some((key) => key.startsWith("0"))).toBe(true);
});
