import { expect, it } from "vitest";
import { parseUptime } from "./uptime.ts";

it.each([
  ["350735.47 234388.90\n", 350_735],
  ["5 1\n", 5],
  ["", 0],
  ["-3.0 1.0\n", 0],
  ["soon\n", 0],
])("reads %j as %i s", (text, expected) => {
  expect(parseUptime(text)).toBe(expected);
});
