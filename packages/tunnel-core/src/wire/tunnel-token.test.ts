import { expect, test } from "vitest";
import { tunnelToken } from "./tunnel-token.ts";

const RECORDED = "f9e66e179b6747ae54108f82f8ade8b3c25d76fd30afde6c395822c530196169";

test("makes the recorded token of the key secret", () => {
  expect(tunnelToken("secret")).toBe(RECORDED);
});
