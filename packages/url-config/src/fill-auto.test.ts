import { expect, test } from "vitest";
import { fillAuto } from "./fill-auto.ts";
import { parseTunnelUrl } from "./parse-url.ts";

test.each([
  ["server://:auto/:80?mode=1", "server://k@:10101/:80", "server://:10101/:80?mode=1"],
  ["server://k@:auto/[::1]:auto", "server://***@:10101/[::1]:8080", "server://k@:10101/[::1]:8080"],
  ["client://auto/h:1,h:auto", "client://k@edge:5/h:1,h:2?mode=2", "client://edge:5/h:1,h:2"],
  ["client://h:1/h:2?via=x:auto", "client://h:3/h:4", "client://h:1/h:2?via=x:auto"],
  ["what", "ever", "what"],
])("%s, where %s is known, is %s", (url, known, filled) => {
  expect(fillAuto(url, known)).toBe(filled);
});

test("what nobody knows yet can be read all the same", () => {
  expect(parseTunnelUrl(fillAuto("client://key@auto/:auto?mode=2"))).toMatchObject({
    tunnel: { host: "127.0.0.1" },
  });
  expect(fillAuto("server://:auto/:auto")).toBe("server://:65534/:65533");
  expect(fillAuto("server://:auto/:65534")).toBe("server://:65533/:65534");
});
