import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TunnelError } from "../errors.ts";
import { formatHandshakeAnswer, parseHandshakeAnswer } from "./handshake-answer.ts";

function recordedBody(name: string): string {
  const url = new URL(`../../test/peer-114/recordings/${name}.jsonl`, import.meta.url);
  const text = readFileSync(url, "utf8");
  const answer = text.split("\n").find((line) => line.includes("HTTP/1.1 200 OK")) ?? "{}";
  return JSON.parse(answer).text.split("\r\n\r\n")[1];
}

test.each([
  ["forward", "+"],
  ["reverse", "-"],
] as const)(
  "the recorded answer of the %s flow is read and written byte for byte",
  (name, flow) => {
    const body = recordedBody(name);
    const answer = { flow, max: 8, tls: 0, type: 0 } as const;
    expect(parseHandshakeAnswer(body)).toEqual(answer);
    expect(formatHandshakeAnswer(answer)).toBe(body);
  },
);

test.each([
  ['{"flow":"-","max":"8","tls":1,"type":2}', { flow: "-", max: 8, tls: 1, type: 2 }],
  ['{"flow":"+","max":1024,"tls":"2"}', { flow: "+", max: 1024, tls: 2, type: 0 }],
  ['{"type":"3","tls":"0","max":0,"flow":"+","x":{}}', { flow: "+", max: 1, tls: 0, type: 3 }],
])("%s is taken", (text, expected) => {
  expect(parseHandshakeAnswer(text)).toEqual(expected);
});

describe("an answer is refused with the field, its value and what is allowed", () => {
  test.each([
    ['{"max":8,"tls":"0"}', 'flow of the server\'s answer is missing, not "-" or "+"'],
    ['{"flow":"x","max":8,"tls":"0"}', 'is "x", not "-" or "+"'],
    ['{"flow":"-","tls":"0"}', "max of the server's answer is missing, not an integer from 0"],
    ['{"flow":"-","max":-1,"tls":"0"}', "is -1, not an integer from 0"],
    ['{"flow":"-","max":1.5,"tls":"0"}', "is 1.5,"],
    ['{"flow":"-","max":"8e3","tls":"0"}', 'is "8e3",'],
    ['{"flow":"-","max":1e300,"tls":"0"}', "is 1e+300,"],
    ['{"flow":"-","max":8,"tls":"3"}', 'tls of the server\'s answer is "3", not one of 0, 1, 2'],
    ['{"flow":"-","max":8,"tls":""}', 'is "", not one of'],
    ['{"flow":"-","max":8,"tls":"0","type":4}', "type of the server's answer is 4, not one of"],
    ["[]", "no JSON object"],
    ["null", "no JSON object"],
    ["", "no JSON"],
    ["<html>", "no JSON"],
    [" ".repeat(20_000), "20000 characters exceeds 16384"],
  ])("%s", (text, message) => {
    expect(() => parseHandshakeAnswer(text)).toThrow(
      expect.objectContaining({
        code: "HANDSHAKE_INVALID",
        message: expect.stringContaining(message),
      }),
    );
  });
});

test("random text and JSON give an answer or the error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        parseHandshakeAnswer(text);
      } catch (error) {
        expect(error).toBeInstanceOf(TunnelError);
      }
    }),
    { numRuns: 2000 },
  );
});
