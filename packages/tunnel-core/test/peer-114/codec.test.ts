import { describe, expect, test } from "vitest";
import { handshakeAnswer, handshakeRequest, parseRequest, parseResponse } from "./http-head.ts";
import { CONTROL_CONN, RECORDED_KEY, readRecording, recordedBytes } from "./recording.ts";
import { decodeSignal, encodeSignal, LineCutter, type Signal, xorWithKey } from "./signal-codec.ts";
import { bearerToken, fnv1a32, formatRemote } from "./tunnel-secret.ts";

const DIRECTIONS = ["client>server", "server>client"] as const;

/** A line that says `text`, whether a 1.14 node would or not. */
function lineOf(text: string, key = "secret"): string {
  return xorWithKey(Buffer.from(text), key).toString("base64");
}

describe.each(["forward", "reverse"] as const)("the recording of the %s flow", (name) => {
  const events = readRecording(name);

  test.each(DIRECTIONS)("%s: every control line decodes and encodes to itself", (dir) => {
    const bytes = recordedBytes(events, CONTROL_CONN, dir);
    const lines = bytes.subarray(dir === "server>client" ? 4 : 0).toString();
    const signals = new LineCutter().push(Buffer.from(lines)).map((line) => {
      const decoded = decodeSignal(line, RECORDED_KEY);
      if (!decoded.ok) throw new Error(decoded.violation);
      return decoded.signal;
    });
    const isEntry = (name === "reverse") === (dir === "server>client");
    const actions = signals.map((signal) => signal.action).sort();
    const expected = ["ping", "ping", "pong", "pong", ...(isEntry ? ["tcp", "udp"] : [])];
    expect(actions).toEqual(expected);
    expect(signals.map((signal) => encodeSignal(signal, RECORDED_KEY)).join("")).toBe(lines);
  });

  test("the handshake's bytes are ours but for the date", () => {
    const request = recordedBytes(events, 1, "client>server");
    expect(handshakeRequest("none", bearerToken(RECORDED_KEY))).toBe(request.toString());
    expect(parseRequest(request)?.length).toBe(request.length);
    const answer = recordedBytes(events, 1, "server>client");
    const undated = (text: string) => text.replace(/Date: .* GMT/, "Date:");
    const flow = name === "forward" ? "+" : "-";
    expect(undated(handshakeAnswer(flow, 8, 0, 0))).toBe(undated(answer.toString()));
    expect(parseResponse(answer)?.status).toBe(200);
    for (let end = 0; end < answer.length; end++) {
      expect(parseResponse(answer.subarray(0, end))).toBeUndefined();
    }
  });
});

test("FNV-1a matches its published vectors, and the manual's port 10101", () => {
  expect(fnv1a32("")).toBe("811c9dc5");
  expect(fnv1a32("a")).toBe("e40c292c");
  expect(fnv1a32("foobar")).toBe("bf9cf968");
  expect(fnv1a32("10101")).toBe("e68be2b4");
});

test("verify and flush survive a round trip", () => {
  const pairs = Array.from({ length: 32 }, (_, index) =>
    (index * 7).toString(16).toUpperCase().padStart(2, "0"),
  );
  const signals: Signal[] = [
    { action: "verify", id: "0a0b0c0d", fp: `sha256:${pairs.join(":")}` },
    { action: "flush" },
    { action: "udp", remote: formatRemote("::1", 9), id: "ffffffff" },
  ];
  for (const signal of signals) {
    const line = encodeSignal(signal, "a longer key than most").trimEnd();
    expect(decodeSignal(line, "a longer key than most")).toEqual({ ok: true, signal });
  }
});

test.each([
  ["an unknown action", lineOf('{"action":"hello"}')],
  ["white space", lineOf('{"action": "ping"}')],
  ["another order of keys", lineOf('{"action":"tcp","id":"00000001","remote":"1.2.3.4:5"}')],
  ["another field", lineOf('{"action":"ping","at":1}')],
  ["an upper-case id", lineOf('{"action":"tcp","remote":"1.2.3.4:5","id":"0000000A"}')],
  ["a short id", lineOf('{"action":"tcp","remote":"1.2.3.4:5","id":"000001"}')],
  ["a bare IPv6 remote", lineOf('{"action":"tcp","remote":"::1:5","id":"00000001"}')],
  ["a remote without a port", lineOf('{"action":"tcp","remote":"1.2.3.4","id":"00000001"}')],
  ["a lower-case fingerprint", lineOf('{"action":"verify","id":"00000001","fp":"sha256:aa"}')],
  ["another key", lineOf('{"action":"ping"}', "other!")],
  ["no base64", "{}"],
  ["base64 without padding", lineOf('{"action":"ping"}').replace(/=+$/, "")],
  ["an empty line", ""],
])("refuses %s", (_what, line) => {
  expect(decodeSignal(line, "secret").ok).toBe(false);
});
