import { expect, it } from "vitest";
import { findWritten } from "./passed-access.ts";

it.each([
  ["/api/instances", "/api", "instances", []],
  ["/api/v1/instances/aaaaaaaa?x=/keys", "/api/v1", "instances", ["aaaaaaaa"]],
  ["/api/%69nstances/%2A", "/api", "instances", ["*"]],
  ["/a%2Fb/keys/full", "/a%2Fb", "keys", ["full"]],
  ["/instances/x/events/ticket", "/instances/x", "events", ["ticket"]],
  ["/info", "", "info", []],
  ["/api/v2", "/api", "v2", []],
])("finds what %s writes to", (target, base, resource, rest) => {
  expect(findWritten(target)).toEqual({ base, resource, rest });
});

it.each(["/", "/api", "/api/nothing", "/healthz", "/api?x=/instances", "/api/inst%zznces"])(
  "finds nothing to write to in %s",
  (target) => {
    expect(findWritten(target)).toBeUndefined();
  },
);
