import { expect, test } from "vitest";
import { httpHostOf, MAX_HEAD_BYTES } from "./http-host.ts";

const of = (text: string) => httpHostOf(Buffer.from(text, "latin1"));

test.each([
  ["GET / HTTP/1.1\r\nHost: App.Example.com:8080\r\n", "app.example.com"],
  ["GET / HTTP/1.1\nhost:app.example.com.\n", "app.example.com"],
  ["\r\nPOST /x HTTP/1.0\r\nA: b\r\nHOST:\t a.example \r\n", "a.example"],
  ["GET http://absolute.example:81/x HTTP/1.1\r\n", "absolute.example"],
  ["GET http://user@absolute.example/x HTTP/1.1\r\nHost: other.example\r\n", "absolute.example"],
  ["PROPFIND / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n", "2001:db8::1"],
  ["GET / HTTP/1.1\r\nHost:\r\n", undefined],
  ["GET / HTTP/1.0\r\n\r\n", undefined],
])("%j asks for %s", (text, name) => {
  expect(of(text)).toEqual({ is: "http", name });
});

test.each([
  "G",
  "GET",
  "GET /",
  "GET / HTTP/1.1\r\n",
  "GET / HTTP/1.1\r\nHost: a.exam",
  "\r\nGET / ",
])("%j waits", (text) => expect(of(text)).toEqual({ is: "more" }));

test.each(["\0\x01", "SSH-2.0-OpenSSH\r\n", "GET / HTTP/3.0 x y\r\n", "one two three four\r\n"])(
  "%j is something else",
  (text) => expect(of(text)).toEqual({ is: "other" }),
);

test("no head is waited for without end", () => {
  expect(of(`GET /${"x".repeat(MAX_HEAD_BYTES)}`).is).toBe("other");
  expect(of(`GET / HTTP/1.1\r\n${"A: b\r\n".repeat(4000)}`).is).toBe("other");
});
