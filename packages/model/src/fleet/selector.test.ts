import { expect, it } from "vitest";
import { isSelected, parseSelector, SelectorError } from "./selector.ts";

const labels = { region: "eu", fast: "", tier: "paid" };

it.each([
  ["", true],
  [" ", true],
  ["region=eu", true],
  ["region==eu", true],
  ["region = eu , !busy", true],
  ["region=us", false],
  ["tier!=free", true],
  ["tier!=paid", false],
  ["none!=x", true],
  ["fast", true],
  ["slow", false],
  ["!busy", true],
  ["!fast", false],
  ["region=eu,tier=paid,fast", true],
  ["region=eu,slow", false],
])("selects by %j: %s", (text, selected) => {
  expect(isSelected(labels, parseSelector(text))).toBe(selected);
});

it.each(["=eu", "region=e u", ",", "!", "a=b,", "a b", "a=b=c", `${"x".repeat(64)}=1`])(
  "refuses %j and says what is allowed",
  (text) => {
    expect(() => parseSelector(text)).toThrow(SelectorError);
    expect(() => parseSelector(text)).toThrow("name=value, name!=value, name, !name");
  },
);

it("bounds the conditions", () => {
  expect(() => parseSelector(Array(65).fill("a").join(","))).toThrow("more than 64");
});

it("does not take what objects inherit for a label", () => {
  expect(isSelected({}, parseSelector("constructor"))).toBe(false);
});
