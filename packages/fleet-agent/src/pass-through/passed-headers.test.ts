import { expect, it } from "vitest";
import { passedHeaders, toHeaderList } from "./passed-headers.ts";

const list: [string, string][] = [
  ["Accept", "text/html"],
  ["X-API-Key", "secret"],
  ["Authorization", "Bearer secret"],
  ["Transfer-Encoding", "chunked"],
  ["Connection", "keep-alive"],
  ["bad name", "x"],
  ["X-Bad", "a\r\nb"],
  ["Accept", "*/*"],
];

it("passes on what is of the request, keys only where they are the master's own", () => {
  expect([...passedHeaders(list, { withKeys: false })]).toEqual([["accept", "text/html, */*"]]);
  expect([...passedHeaders(list, { withKeys: true }).keys()]).toEqual([
    "accept",
    "authorization",
    "x-api-key",
  ]);
});

it("gives back the answer's, each cookie for itself", () => {
  const headers = new Headers({ "Content-Type": "a/b", Connection: "close" });
  headers.append("Set-Cookie", "a=1");
  headers.append("Set-Cookie", "b=2");
  expect(toHeaderList(headers)).toEqual([
    ["content-type", "a/b"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ]);
});
