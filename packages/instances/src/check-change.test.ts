import { expect, it } from "vitest";
import { checkText } from "./check-change.ts";

it.each(["", "x".repeat(256), "ü".repeat(256), "\u{1f986}".repeat(256)])("takes %j", (text) => {
  expect(() => checkText("alias", text)).not.toThrow();
});

it.each([
  "x".repeat(257),
  "\u{1f986}".repeat(257),
  `${"\u{1f986}".repeat(255)}xx`,
  "x".repeat(1_000_000),
])("refuses a text of more than 256 characters", (text) => {
  expect(() => checkText("alias", text)).toThrow("alias has more than 256 characters");
});
