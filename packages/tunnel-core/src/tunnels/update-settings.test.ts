import { parseTunnelUrl } from "@nodepass/url-config";
import { expect, test } from "vitest";
import { contextFor } from "../../test/support/memory-context.ts";
import { changesBetween, updateSettings } from "./update-settings.ts";

const SERVER = "server://k@127.0.0.1:1/127.0.0.1:2?mode=1";

const between = (before: string, after: string, isEntry = false) =>
  changesBetween(parseTunnelUrl(before), parseTunnelUrl(after), isEntry);

test.each([
  ["", {}],
  ["&rate=8", { rateBytesPerSecond: 1_000_000 }],
  ["&rate=0/8", { rateBytesPerSecond: 0, rateDownBytesPerSecond: 1_000_000 }],
  ["&slotip=2&udpidle=1m", { slotPerAddress: 2, udpIdleMs: 60_000 }],
  [
    "&rateconn=8&deny=users:10.0.0.0/8",
    {
      connectionRates: { upBytesPerSecond: 1_000_000, downBytesPerSecond: 1_000_000 },
      deny: ["users:10.0.0.0/8"],
    },
  ],
  ["&slot=5&read=1m", { slot: 5, readTimeoutMs: 60_000 }],
  ["&block=13&log=debug", { block: { socks: true, http: false, tls: true }, log: "debug" }],
  ["&max=5", { max: 5 }],
  ["&proxy=1&dns=1s", { proxy: true, dnsTtlMs: 1000 }],
  // What can't change while it runs.
  ["&tls=1", undefined],
  ["&rate=8&notcp=1", undefined],
  ["&compat=0", undefined],
  ["&ban=1", undefined],
])("%j is %j", (query, changes) => {
  expect(between(SERVER, SERVER + query, true)).toEqual(changes);
});

test("targets change at the end that dials them, and nowhere else", () => {
  const other = SERVER.replace("127.0.0.1:2", "127.0.0.1:3,127.0.0.1:4");
  expect(between(SERVER, other, true)).toBeUndefined();
  expect(between(SERVER, other, false)).toEqual({
    targets: [
      { host: "127.0.0.1", port: 3 },
      { host: "127.0.0.1", port: 4 },
    ],
  });
  expect(between(SERVER, SERVER.replace(":1/", ":9/"), false)).toBeUndefined();
  expect(between(SERVER, SERVER.replace("k@", "other@"), false)).toBeUndefined();
  expect(between(SERVER, SERVER.replace("server:", "client:"), false)).toBeUndefined();
});

test.each([
  [{ rateBytesPerSecond: Number.NaN }, /^rateBytesPerSecond is NaN/],
  [{ rateDownBytesPerSecond: -1 }, /^rateDownBytesPerSecond is -1/],
  [
    { connectionRates: { upBytesPerSecond: 1, downBytesPerSecond: Number.NaN } },
    /^downBytesPerSecond is NaN/,
  ],
  [{ slotPerAddress: 0.5 }, /^slotip "0.5" is not valid/],
  [{ deny: ["file:/nonexistent"] }, /nonexistent cannot be used: ENOENT/],
  [{ slot: -1 }, /^slot "-1" is not valid/],
  [{ readTimeoutMs: -5 }, /^read /],
  [{ targets: [{ host: "127.0.0.1", port: 70_000 }] }, /^target address/],
  [{ min: 5 }, /^min is no setting of a server/],
  [{ max: 0 }, /^max "0" is not valid/],
  [{ tls: 1 }, /^tls can't be changed while the tunnel runs \(allowed: rateBytesPerSecond, /],
])("refuses %j, and changes nothing", (changes, message) => {
  const context = contextFor(SERVER);
  const before = { ...context.settings };
  expect(() => updateSettings(context, context.settings, { slot: 9, ...changes }, false)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTIONS", message: expect.stringMatching(message) }),
  );
  expect(context.settings).toEqual(before);
});
