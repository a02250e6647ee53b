import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogLineLevel } from "./log-entry.ts";
import { formatCheckPoint, formatLogLine } from "./log-line.ts";

const time = new Date(2026, 0, 2, 3, 4, 5, 6);
const checkPoint = {
  mode: 1,
  ping: 1,
  pool: 2,
  tcps: 0,
  udps: 1,
  tcprx: 9,
  tcptx: 12,
  udprx: 9,
  udptx: 12,
};

describe("formatLogLine", () => {
  it("writes local time, padded level and message, two spaces between", () => {
    expect(formatLogLine({ time, level: "info", message: "tunnel opened" })).toBe(
      "2026-01-02 03:04:05.006  INFO   tunnel opened",
    );
  });

  it.each<[LogLineLevel, string]>([
    ["debug", "\x1b[34mDEBUG\x1b[0m"],
    ["info", "\x1b[32mINFO \x1b[0m"],
    ["warn", "\x1b[33mWARN \x1b[0m"],
    ["error", "\x1b[31mERROR\x1b[0m"],
    ["event", "\x1b[36mEVENT\x1b[0m"],
  ])("colours %s as dashboards expect it", (level, coloured) => {
    expect(formatLogLine({ time, level, message: "text" }, { colour: true })).toBe(
      `2026-01-02 03:04:05.006  ${coloured}  text`,
    );
  });

  it("appends fields as key=value and leaves undefined ones out", () => {
    const fields = { peer: "[::1]:99", ms: 12, half: undefined, tls: false };
    expect(formatLogLine({ time, level: "warn", message: "lost", fields })).toMatch(
      / {2}lost peer=\[::1\]:99 ms=12 tls=false$/,
    );
  });

  it("quotes values that would read as several", () => {
    const fields = { reason: 'said "no" to a=b', empty: "" };
    expect(formatLogLine({ time, level: "warn", message: "lost", fields })).toMatch(
      / lost reason="said \\"no\\" to a=b" empty=""$/,
    );
  });

  it("masks values of fields that are named like secrets", () => {
    const fields = { Key: "hunter2", token: "hunter2", password: "hunter2", apiKey: "hunter2" };
    const line = formatLogLine({ time, level: "info", message: "open", fields });
    expect(line).toMatch(/ Key=\*\*\* token=\*\*\* password=\*\*\* apiKey=\*\*\*$/);
  });

  it("turns controls, markup and direction marks of a peer's text into escapes", () => {
    const fields = { sni: "\x1b[2Jx\r\n\x9b31m\u202e<b>\u0000" };
    expect(formatLogLine({ time, level: "info", message: "hi <i>", fields })).toMatch(
      / hi \\x3ci\\x3e sni=\\x1b\[2Jx\\x0d\\x0a\\x9b31m\\u202e\\x3cb\\x3e\\x00$/,
    );
  });

  it("is one printable line without markup whatever the text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "binary" }),
        (message, value) => {
          const line = formatLogLine({ time, level: "info", message, fields: { value } });
          // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be left
          expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029<>]/);
        },
      ),
    );
  });

  it("cuts a text of any length", () => {
    const line = formatLogLine({ time, level: "info", message: "x".repeat(1_000_000) });
    expect(line.length).toBeLessThan(2_200);
    expect(line).toMatch(/x…$/);
  });
});

describe("formatCheckPoint", () => {
  it("writes the line that NodePass's readers parse", () => {
    expect(formatCheckPoint(checkPoint)).toBe(
      "CHECK_POINT|MODE=1|PING=1ms|POOL=2|TCPS=0|UDPS=1|TCPRX=9|TCPTX=12|UDPRX=9|UDPTX=12",
    );
  });

  it("writes whole numbers only, large ones in full", () => {
    const line = formatCheckPoint({
      ...checkPoint,
      ping: 0.6,
      pool: -1,
      udps: Number.NaN,
      tcprx: 2 ** 50,
    });
    expect(line).toMatch(/\|PING=1ms\|POOL=0\|TCPS=0\|UDPS=0\|TCPRX=1125899906842624\|/);
  });
});
