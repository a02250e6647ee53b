import { expect, test } from "vitest";
import { tunnelToken, tunnelTokenMatches } from "./tunnel-token.ts";

const RECORDED = "f9e66e179b6747ae54108f82f8ade8b3c25d76fd30afde6c395822c530196169";

test("makes the recorded token of the key secret", () => {
  expect(tunnelToken("secret")).toBe(RECORDED);
});

test("compares whole tokens", () => {
  expect(tunnelTokenMatches(RECORDED, tunnelToken("secret"))).toBe(true);
  for (const other of ["", RECORDED.slice(1), `${RECORDED}0`, RECORDED.toUpperCase(), "é"]) {
    expect(tunnelTokenMatches(RECORDED, other)).toBe(false);
  }
});
