import { describe, expect, test } from "vitest";
import { type HttpHead, parseHttpHead } from "./http-head.ts";
import {
  checkOpeningAnswer,
  formatOpeningAnswer,
  formatOpeningRefusal,
  formatOpeningRequest,
  newWebSocketKey,
  readOpeningRequest,
  webSocketAccept,
} from "./websocket-opening.ts";

function head(text: string): HttpHead {
  const parsed = parseHttpHead(text.replace(/\r\n\r\n$/, ""));
  if (parsed === undefined) throw new Error("malformed head");
  return parsed;
}

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

test("the accept of RFC 6455, section 1.3", () => {
  expect(webSocketAccept(KEY)).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

test("what is written is read", () => {
  const key = newWebSocketKey();
  const request = head(formatOpeningRequest("/tunnel", "example.org", key));
  const verdict = readOpeningRequest(request);
  expect(verdict).toEqual({ accepted: true, path: "/tunnel", accept: webSocketAccept(key) });
  checkOpeningAnswer(head(formatOpeningAnswer(webSocketAccept(key))), key);
});

test("a 1.14 client's request and a 1.14 server's answer, as recorded", () => {
  const request = head(
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Go-http-client/1.1\r\nConnection: Upgrade\r\nSec-Websocket-Key: lwkLW7pslOhr2M/vYJSMSw==\r\nSec-Websocket-Version: 13\r\nUpgrade: websocket\r\nAccept-Encoding: gzip\r\n\r\n",
  );
  expect(readOpeningRequest(request)).toMatchObject({ accepted: true, path: "/" });
  const answer = head(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-Websocket-Accept: C+Dyy5FSexlfyMYMPjpt6xrMfsI=\r\nUpgrade: websocket\r\nDate: Wed, 25 Nov 2026 18:14:44 GMT\r\n\r\n",
  );
  checkOpeningAnswer(answer, "lwkLW7pslOhr2M/vYJSMSw==");
});

test("a proxy may spell, order and join fields as it likes", () => {
  const request = head(
    `GET http://example.org/a?token=1 HTTP/1.1\r\nupgrade: WebSocket\r\nX-Forwarded-For: ::1\r\nCONNECTION: keep-alive,  UPGRADE\r\nsec-websocket-key:${KEY}\r\nSec-WebSocket-Version:13 \r\nHost: x\r\n\r\n`,
  );
  expect(readOpeningRequest(request)).toMatchObject({ accepted: true, path: "/a" });
});

describe("a request is refused", () => {
  const good = `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13`;
  test.each([
    ["POST", good.replace("GET", "POST"), 405],
    ["HTTP/1.0", good.replace("HTTP/1.1", "HTTP/1.0"), 400],
    ["no Connection: Upgrade", good.replace("Connection: Upgrade\r\n", ""), 400],
    ["no key", good.replace(/Sec-WebSocket-Key: .*\r\n/, ""), 400],
    ["a short key", good.replace(KEY, "c2hvcnQ="), 400],
    ["two keys", good.replace(KEY, `${KEY}\r\nSec-WebSocket-Key: ${KEY}`), 400],
    ["another version", good.replace(": 13", ": 8"), 426],
    ["no version", good.replace(/\r\nSec-WebSocket-Version: 13/, ""), 426],
  ])("%s", (_, text, status) => {
    const verdict = readOpeningRequest(head(text));
    expect(verdict).toMatchObject({ accepted: false, status });
    if (!verdict.accepted) {
      expect(formatOpeningRefusal(verdict.status, verdict.why)).toMatch(
        new RegExp(`^HTTP/1\\.1 ${status} [A-Z][A-Za-z ]+\\r\\nConnection: close\\r\\n`),
      );
    }
  });

  test.each([
    ["a field without a colon", `${good}\r\nnonsense`],
    ["a folded field", `${good}\r\n more`],
    ["white space before a colon", `${good}\r\nName : value`],
    ["an empty name", `${good}\r\n: value`],
    ["a bare line feed in a value", `${good}\r\na: b\nc: d`],
  ])("%s is malformed", (_, text) => {
    expect(parseHttpHead(text)).toBeUndefined();
  });
});

describe("an answer is refused", () => {
  const good = formatOpeningAnswer(webSocketAccept(KEY));
  test.each([
    ["200", good.replace("101 Switching Protocols", "200 OK"), /"HTTP\/1.1 200 OK"/],
    ["503", formatOpeningRefusal(503, "full"), /503 Service Unavailable/],
    ["nonsense", "SSH-2.0-OpenSSH\u0007", /"SSH-2.0-OpenSSH\?"/],
    ["no upgrade", good.replace("Upgrade: websocket\r\n", ""), /names no upgrade/],
    ["no connection", good.replace("Connection: Upgrade\r\n", ""), /no Connection/],
    ["another's accept", good.replace(/Accept: ./, "Accept: _"), /Accept is wrong/],
    [
      "an extension",
      good.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: x\r\n\r\n"),
      /extension/,
    ],
    [
      "a subprotocol",
      good.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: x\r\n\r\n"),
      /subprotocol/,
    ],
  ])("%s", (_, text, why) => {
    const first = text.split("\r\n\r\n", 1)[0] ?? "";
    expect(() => checkOpeningAnswer(head(first), KEY)).toThrow(why);
  });
});
