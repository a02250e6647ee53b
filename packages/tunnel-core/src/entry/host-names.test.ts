import { expect, test } from "vitest";
import { HostNames } from "./host-names.ts";

test("a whole name wins over the longest domain, that over the rest", () => {
  const names = new HostNames<string>();
  names.add(["app.example.com", "*.dev.example.com"], "one");
  names.add(["*.example.com", "x.dev.example.com"], "two");
  const found = [
    ...["app.example.com", "a.dev.example.com", "a.b.dev.example.com", "x.dev.example.com"],
    ...["dev.example.com", "example.com", "other.org", ".example.com", ""],
  ].map((name) => names.find(name));
  expect(found).toEqual([
    "one",
    "one",
    "one",
    "two",
    "two",
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  names.add([], "rest");
  expect([names.find("other.org"), names.find(undefined)]).toEqual(["rest", "rest"]);
});
