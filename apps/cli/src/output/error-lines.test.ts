import { expect, it } from "vitest";
import { errorLines } from "./error-lines.ts";

it("says one failure in one line", () => {
  expect(errorLines(new Error("port 80\n  in use"))).toEqual(["port 80 in use"]);
  expect(errorLines("text")).toEqual(["text"]);
  expect(errorLines(new TypeError(""))).toEqual(["TypeError"]);
});

it("lists several problems, and says a single one in its line", () => {
  const one = { message: "slot is not valid" };
  const two = { message: "mode is not valid" };
  expect(errorLines(Object.assign(new Error("both"), { problems: [one, two] }))).toEqual([
    "2 problems:",
    "  slot is not valid",
    "  mode is not valid",
  ]);
  expect(errorLines(Object.assign(new Error("one"), { problems: [one] }))).toEqual([
    "slot is not valid",
  ]);
});

it("hides the key of a URL that an error quotes", () => {
  expect(errorLines(new Error("Invalid URL: server://hunter2@h:1/x")).join()).not.toContain(
    "hunter2",
  );
});
