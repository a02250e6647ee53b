import { expect, it } from "vitest";
import { readAllow } from "./allow.ts";

it.each([
  [undefined, undefined],
  ["apply,api,read", ["apply", "api", "read"]],
  ["read, apply", ["apply", "read"]],
  ["none", []],
])("reads %j", (text, allow) => {
  expect(readAllow(text)).toEqual(allow);
});

it.each(["", "all", "read,write"])("refuses %j and says what is allowed", (text) => {
  expect(() => readAllow(text)).toThrow("allowed: apply, api, read with commas, or none");
});
