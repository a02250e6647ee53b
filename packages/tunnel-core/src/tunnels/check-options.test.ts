import { parseTunnelUrl } from "@nodepass/url-config";
import { expect, test } from "vitest";
import type { TunnelOptions } from "../tunnel.ts";
import { checkOptions, checkSettings } from "./check-options.ts";

/** What a program in JavaScript may give. */
const given = (options: object) => () => checkOptions(options as TunnelOptions);

test.each([
  [{ limits: { reportIntervalMs: -1 } }, /^limits\.reportIntervalMs "-1" is not valid \(allowed: /],
  [{ limits: { reportIntervalMs: Number.NaN } }, /^limits\.reportIntervalMs "NaN" is not valid/],
  [{ limits: { handshakeTimeoutMs: "x" } }, /^limits\.handshakeTimeoutMs/],
  [{ limits: { handshakeTimeout: 1 } }, /is no such field; did you mean handshakeTimeoutMs\?/],
  [{ limits: 5 }, /^limits is 5 \(allowed: an object\)$/],
  [{ limit: {} }, /^limit is no option \(allowed: limits, /],
  [{ buffers: {} }, /^buffers is a object \(allowed: a RelayBuffers\)$/],
  [{ ca: "no pem" }, /^ca is "no pem" \(allowed: PEM text, or several in a list\)$/],
  [{ onCreate: "x" }, /^onCreate is "x"/],
  [
    { drainTimeoutMs: Number.POSITIVE_INFINITY },
    /^drainTimeoutMs is Infinity \(allowed: a number, 0 to /,
  ],
  [{ signal: new AbortController() }, /^signal is a object \(allowed: an AbortSignal\)$/],
])("refuses %o", (options, message) => {
  expect(given(options)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTIONS", message: expect.stringMatching(message) }),
  );
});

test("takes what is allowed, and fills in the rest", () => {
  const limits = { reportIntervalMs: 50 };
  const ca = ["-----BEGIN CERTIFICATE-----"];
  expect(checkOptions({ limits, ca, signal: undefined })).toMatchObject({
    reportIntervalMs: 50,
    handshakeTimeoutMs: 5000,
  });
});

test.each([
  ["rateBytesPerSecond", Number.NaN],
  ["slot", -1],
  ["min", "8"],
  ["scheme", "master"],
])("refuses settings whose %s is %o", (name, value) => {
  const settings = { ...parseTunnelUrl("client://k@h:1/t:2"), [name]: value };
  expect(() => checkSettings(settings)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTIONS", message: expect.stringContaining(name) }),
  );
});
