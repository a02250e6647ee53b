import { expect, test } from "vitest";
import { closestName } from "./closest-name.ts";

const names = ["log", "mode", "slot", "notcp", "noudp", "NP_REPORT_INTERVAL"];

test.each([
  ["slots", "slot"],
  ["SLOT", "slot"],
  ["moed", "mode"],
  ["notpc", "notcp"],
  ["lgo", undefined],
  ["lo", "log"],
  ["xyz", undefined],
  ["", undefined],
  ["np_report_intervall", "NP_REPORT_INTERVAL"],
  ["something-else", undefined],
])("%s is closest to %s", (text, name) => {
  expect(closestName(text, names)).toBe(name);
});
