import { expect, it } from "vitest";
import { readLabels } from "./change-masters.ts";

it("reads labels to set and to remove", () => {
  expect(readLabels(["region=eu", "fast", "busy-", "tier-x=a.b", "np/rack=1"])).toEqual({
    set: { region: "eu", fast: "", "tier-x": "a.b", "np/rack": "1" },
    removed: ["busy"],
  });
});

it.each(["", "=x", "-", "a b", "region=e u", "-x"])("refuses %j", (word) => {
  expect(() => readLabels([word])).toThrow(
    expect.objectContaining({ exitCode: 2, message: expect.stringContaining("name=value") }),
  );
});
