import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlockDetector, type BlockVerdict, MAX_UNDECIDED_BYTES } from "./block-detector.ts";

const ALL = { socks: true, http: true, tls: true };
const NONE = { socks: false, http: false, tls: false };
const SOCKS = { ...NONE, socks: true };
const HTTP = { ...NONE, http: true };
const TLS = { ...NONE, tls: true };

const latin1 = (text: string) => Buffer.from(text, "latin1");
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** The verdict after each byte, until one falls; the same must fall for all bytes at once. */
function story(block: typeof ALL, bytes: Uint8Array): { verdict: BlockVerdict; after: number } {
  const detector = new BlockDetector(block);
  let after = 0;
  let verdict = detector.push(new Uint8Array(0));
  while (verdict === "undecided" && after < bytes.length) {
    verdict = detector.push(bytes.subarray(after, ++after));
  }
  expect(new BlockDetector(block).push(bytes), "all bytes at once").toBe(verdict);
  return { verdict, after };
}

describe("SOCKS", () => {
  test.each([
    ["4 CONNECT", hex("04 01 0050 7f000001 00"), 2],
    ["4a CONNECT", Buffer.concat([hex("04 01 0050 00000001 00"), latin1("a.example\0")]), 2],
    ["4 BIND", hex("04 02 0050 7f000001 00"), 2],
    ["5 with one method", hex("05 01 00"), 2],
    ["5 with four methods", hex("05 04 00 01 02 03"), 2],
    ["5 with 255 methods", Buffer.concat([hex("05 ff"), Buffer.alloc(255)]), 2],
  ])("%s is blocked", (_, bytes, after) => {
    for (const block of [SOCKS, ALL]) {
      expect(story(block, bytes)).toEqual({ verdict: "blocked", after });
    }
    expect(story({ ...ALL, socks: false }, bytes).verdict).toBe("allowed");
  });

  test.each([
    ["a DCE/RPC bind", hex("05 00 0b 03"), 2],
    ["version 4 with another command", hex("04 03"), 2],
    ["version 6", hex("06 01"), 1],
  ])("%s is allowed", (_, bytes, after) => {
    expect(story(SOCKS, bytes)).toEqual({ verdict: "allowed", after });
  });
});

describe("HTTP", () => {
  const methods = (
    "GET HEAD POST PUT DELETE OPTIONS TRACE PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK " +
    "SEARCH REPORT MKCALENDAR ACL BASELINE-CONTROL VERSION-CONTROL MERGE QUERY PURGE"
  ).split(" ");

  test.each(methods)("%s with a path is blocked at its slash", (method) => {
    for (const name of [method, method.toLowerCase()]) {
      const after = name.length + 2;
      const line = latin1(`${name} /a HTTP/1.1\r\n`);
      expect(story(HTTP, line)).toEqual({ verdict: "blocked", after });
      expect(story(ALL, line)).toEqual({ verdict: "blocked", after });
    }
  });

  test.each([
    ["\r\n\r\nGET / HTTP/1.1", 9],
    ["\n\nget / http/1.1", 7],
    ["GET \t /", 7],
    ["GET http://a/ HTTP/1.1", 9],
    ["GET HTTPS://a/ HTTP/1.1", 10],
    ["CONNECT a.example:443 HTTP/1.1", 27],
    ["CONNECT a:1 HTTP/1.1", 17],
    ["CONNECT [::1]:443 http/1.1", 23],
    ["OPTIONS * HTTP/1.1", 15],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 11],
    ["BREW /pot HTTP/1.0", 15],
    ["x-y.z! * HTTP/1.1", 14],
    ["FOO /a b c HTTP/1.1", 16],
    ["GET ws://a/ HTTP/1.1", 17],
    ["\r\n".repeat(17), 33],
  ])("%j is blocked after %i bytes", (text, after) => {
    expect(story(HTTP, latin1(text))).toEqual({ verdict: "blocked", after });
  });

  test.each([
    ["SSH-2.0-OpenSSH_9.7\r\n", 20],
    ["EHLO a.example\r\n", 15],
    ["RETR /pub/file\r\n", 15],
    ["get key\r\n", 8],
    ["GET key\r\n", 8],
    ["*1\r\n$4\r\nPING\r\n", 3],
    ['CONNECT {"verbose":false}\r\n', 26],
    ["CONNECT\naccept-version:1.2\n", 8],
    ["OPTIONS * RTSP/1.0\r\n", 19],
    ["INVITE sip:bob@a.example SIP/2.0\r\n", 33],
    ["HTTP/1.1 200 OK\r\n", 5],
    [" GET /", 1],
    ["\0\0\0\x08", 1],
    ["\x16\x03\x01", 1],
    [`${"A".repeat(40)} /`, 33],
    ["FOO /HTTP/1.1\r\n", 14],
  ])("%j is allowed after %i bytes", (text, after) => {
    expect(story(HTTP, latin1(text))).toEqual({ verdict: "allowed", after });
  });

  test.each(["", "G", "GET", "GET ", "\r\n", "PRI * HTTP", "HELP me"])("%j waits", (text) => {
    expect(story(HTTP, latin1(text)).verdict).toBe("undecided");
  });
});

describe("TLS", () => {
  /** A ClientHello in an SSLv2 record with the given lengths. */
  const v2 = (
    suites: number,
    id: number,
    challenge: number,
    claimed = 9 + suites + id + challenge,
  ) => Buffer.from([0x80 | (claimed >> 8), claimed & 255, 1, 3, 1, 0, suites, 0, id, 0, challenge]);

  test.each([
    ["SSL 3.0", hex("16 03 00"), 3],
    ["TLS 1.0", hex("16 03 01 0200 01"), 3],
    ["TLS 1.3", hex("16 03 03"), 3],
    ["version 3.4", hex("16 03 04"), 3],
    ["a version that servers ignore", hex("16 03 63 0200 01"), 6],
    ["a ClientHello in an SSLv2 record", v2(3, 0, 16), 11],
    ["one that goes on with a session", v2(30, 16, 32), 11],
  ])("%s is blocked", (_, bytes, after) => {
    expect(story(TLS, bytes)).toEqual({ verdict: "blocked", after });
    expect(story(ALL, bytes)).toEqual({ verdict: "blocked", after });
  });

  test.each([
    ["an alert", hex("15 03 03"), 1],
    ["another major version", hex("16 02 01"), 2],
    ["no ClientHello", hex("16 03 63 0200 02"), 6],
    ["an impossible length", hex("16 03 63 ffff 01"), 5],
    ["text above ASCII", latin1("\xe9t\xe9"), 3],
    ["lengths that do not agree", v2(3, 0, 16, 29), 11],
    ["no cipher suite", v2(0, 0, 16), 7],
    ["half a cipher suite", v2(4, 0, 16), 7],
    ["an odd session", v2(3, 5, 16), 9],
    ["a short challenge", v2(3, 0, 15), 11],
  ])("%s is allowed", (_, bytes, after) => {
    expect(story(TLS, bytes)).toEqual({ verdict: "allowed", after });
  });
});

test("blocks nothing when nothing is to be blocked, before any byte", () => {
  expect(new BlockDetector(NONE).push(new Uint8Array(0))).toBe("allowed");
});

test("names the protocol that was blocked", () => {
  const of = (bytes: Uint8Array) => {
    const detector = new BlockDetector(ALL);
    detector.push(bytes);
    return detector.protocol;
  };
  expect(of(hex("0501"))).toBe("socks");
  expect(of(latin1("GET /"))).toBe("http");
  expect(of(hex("160301"))).toBe("tls");
  expect(of(latin1("SSH-2.0\r\n"))).toBeUndefined();
});

test("stays with its verdict whatever follows", () => {
  const blocked = new BlockDetector(ALL);
  blocked.push(latin1("GET /"));
  expect(blocked.push(latin1("\0\0"))).toBe("blocked");
  const allowed = new BlockDetector(ALL);
  allowed.push(latin1("\0"));
  expect(allowed.push(latin1("GET / HTTP/1.1\r\n"))).toBe("allowed");
});

test.each(["A ", "GET x", "\r\nA b ", "GET http"])(
  "lets go of an endless line after %j",
  (start) => {
    const detector = new BlockDetector(ALL);
    detector.push(latin1(start));
    const filling = Buffer.alloc(MAX_UNDECIDED_BYTES - start.length - 1, "x");
    expect(detector.push(filling)).toBe("undecided");
    expect(detector.push(latin1("x"))).toBe("allowed");
  },
);

test("how the bytes are cut changes nothing, and nothing waits for ever", () => {
  const piece = fc.oneof(
    fc.constantFrom("\r\n", "GET", "get", "BREW", " ", "\t", "/", "*", "http://a/", "HTTP/", "1.1"),
    fc.constantFrom("\x05", "\x04", "\x01", "\x16\x03", "\x80\x2e\x01\x03", "\0"),
    fc.string({ unit: "binary-ascii", maxLength: 4 }),
  );
  const bytes = fc.array(piece, { maxLength: 12 }).map((pieces) => latin1(pieces.join("")));
  const block = fc.record({ socks: fc.boolean(), http: fc.boolean(), tls: fc.boolean() });
  const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 6 });
  fc.assert(
    fc.property(bytes, block, cuts, (input, blocked, at) => {
      const { verdict } = story(blocked, input);
      const edges = [0, ...at.map((cut) => Math.min(cut, input.length)).sort((a, b) => a - b)];
      const detector = new BlockDetector(blocked);
      const last = edges.map((from, i) => detector.push(input.subarray(from, edges[i + 1]))).at(-1);
      expect(last).toBe(verdict);
      const rest = detector.push(Buffer.alloc(MAX_UNDECIDED_BYTES, "x"));
      expect(rest).not.toBe("undecided");
    }),
    { numRuns: 3000 },
  );
});
