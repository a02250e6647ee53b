import { expect, it } from "vitest";
import { asTunnelError, TunnelError } from "./errors.ts";

it("knows its own errors, and those of another copy of the package", () => {
  const own = new TunnelError("CLOSED", "closed");
  // As a carrier's error is to the command, whose files have a copy of their own.
  const other = new (class TunnelErrorOfACarrier extends Error {
    override readonly name = "TunnelError";
    readonly code = "CLOSED";
  })("closed");
  expect(own).toBeInstanceOf(TunnelError);
  expect(other).toBeInstanceOf(TunnelError);
  expect(asTunnelError(other, "PEER_LOST")).toBe(other);
});

it("takes no other error for one of them", () => {
  const system = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  for (const value of [system, new Error("x"), { name: "TunnelError", code: "CLOSED" }, null]) {
    expect(value).not.toBeInstanceOf(TunnelError);
  }
  expect(asTunnelError(system, "PEER_LOST")).toMatchObject({ code: "PEER_LOST", cause: system });
});
