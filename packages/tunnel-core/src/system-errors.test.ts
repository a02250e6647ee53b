import { expect, test } from "vitest";
import { TunnelError } from "./errors.ts";
import { systemErrorCode, systemErrorMeaning } from "./system-errors.ts";

const system = (code: string): Error => Object.assign(new Error(`connect ${code} ::1:1`), { code });

test("finds the system's error in what ours was caused by", () => {
  const ours = new TunnelError("BIND_FAILED", "cannot bind", { cause: system("EACCES") });
  expect([systemErrorCode(ours), systemErrorMeaning(ours)]).toEqual(["EACCES", "not permitted"]);
});

test("finds the first of several attempts", () => {
  const all = new AggregateError([system("ECONNREFUSED"), system("ENETUNREACH")]);
  expect(systemErrorMeaning(all)).toBe("connection refused");
});

test("says nothing of what it does not know", () => {
  expect(systemErrorMeaning(system("EWHATEVER"))).toBeUndefined();
  expect(systemErrorCode(new TunnelError("CLOSED", "closed"))).toBeUndefined();
  expect(systemErrorCode("text")).toBeUndefined();
  const circle = new Error("round");
  circle.cause = circle;
  expect(systemErrorCode(circle)).toBeUndefined();
});
