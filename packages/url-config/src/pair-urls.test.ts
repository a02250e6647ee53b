import { expect, it } from "vitest";
import { pairUrls } from "./pair-urls.ts";

it("leads users of the server to a target at the client, or the other way", () => {
  const both = { entry: ":8080", target: "127.0.0.1:80" };
  expect(pairUrls({ ...both, flow: "reverse" })).toEqual({
    server: "server://:auto/:8080?mode=1&tls=1",
    client: "client://auto/127.0.0.1:80?mode=2",
  });
  expect(pairUrls({ ...both, entry: "[::1]:auto", flow: "forward", tls: "0" })).toEqual({
    server: "server://:auto/127.0.0.1:80?mode=2&tls=0",
    client: "client://auto/[::1]:auto?mode=2",
  });
});

it.each([
  ["8080", "127.0.0.1:80", 'entry "8080" is no address (allowed: :port, host:port, or auto'],
  [":8080", "127.0.0.1", 'target "127.0.0.1" is no address (allowed: host:port'],
  [":8080", "127.0.0.1:auto", "target"],
  [":99999", "127.0.0.1:80", "entry"],
])("refuses %j to %j, and says what is allowed", (entry, target, message) => {
  expect(() => pairUrls({ entry, target, flow: "reverse" })).toThrow(message);
});
