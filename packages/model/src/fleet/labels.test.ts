import { expect, it } from "vitest";
import { LabelsSchema } from "./labels.ts";

const labels = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`label-${n}`, ""]));

it("a master has 64 labels, and no more", () => {
  expect(LabelsSchema.safeParse(labels(64)).success).toBe(true);
  expect(LabelsSchema.safeParse(labels(65)).error?.issues[0]?.message).toBe("more than 64 labels");
});
