import { expect, it } from "vitest";
import { isAllowedOrigin } from "./allowed-origin.ts";

it.each([
  [undefined, "evil.example:9090", true],
  ["http://localhost:6274", "127.0.0.1:9090", true],
  ["http://127.0.0.1:6274", "h:9090", true],
  ["http://[::1]:6274", "h:9090", true],
  ["https://known.example", "h", true],
  ["https://KNOWN.example:444", "h", true],
  ["http://10.0.0.5:9090", "10.0.0.5:9090", true],
  ["http://[2001:db8::1]", "[2001:DB8:0::1]:9090", true],
  // The same origin to a browser, by a name that leads here.
  ["http://evil.example:9090", "evil.example:9090", false],
  ["http://127.0.0.1.evil.example", "127.0.0.1:9090", false],
  ["http://localhost.evil.example", "localhost", false],
  ["http://10.0.0.6", "10.0.0.5:9090", false],
  ["http://10.0.0.6", undefined, false],
  ["null", "h", false],
  ["", "h", false],
  ["file://", "h", false],
  ["not an origin", "h", false],
])("takes %j at %j: %s", (origin, host, expected) => {
  expect(isAllowedOrigin(origin, host, ["known.example"])).toBe(expected);
});

it("takes any with *", () => {
  expect(isAllowedOrigin("http://evil.example", "h", ["*"])).toBe(true);
  expect(isAllowedOrigin("http://evil.example", "h", [])).toBe(false);
});
