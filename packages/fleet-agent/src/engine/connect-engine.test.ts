import { expect, it } from "vitest";
import { waysTo } from "./connect-engine.ts";

it("keeps apart what is opened in different ways", () => {
  const servers = ["tls://a:4222", "wss://a:443", "tls://b:4222", "ws://c:80", "d:4222"];
  expect([...waysTo(servers)]).toEqual([
    ["tls", ["tls://a:4222", "tls://b:4222"]],
    ["websocket", ["wss://a:443", "ws://c:80"]],
    ["nats", ["d:4222"]],
  ]);
});

it("names a scheme that is none", () => {
  expect(() => waysTo(["http://a"])).toThrow("the scheme http, allowed are tls, nats, wss, ws");
});
