import { expect, it } from "vitest";
import { formatJsonLine } from "./json-line.ts";

const time = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6));

it("writes time, level, message and fields", () => {
  const line = formatJsonLine({ time, level: "info", message: "open", fields: { port: 80 } });
  expect(line).toBe(
    '{"time":"2026-01-02T03:04:05.006Z","level":"info","message":"open","fields":{"port":80}}',
  );
});

it("keeps a peer's text exactly, as one line that terminals don't obey", () => {
  const text = '\x1b[2J\n\u009b31m\u2028<b>"';
  const line = formatJsonLine({ time, level: "warn", message: "odd", fields: { text } });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be left
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  expect(JSON.parse(line)).toMatchObject({ fields: { text } });
});

it("masks values of fields that are named like secrets", () => {
  const line = formatJsonLine({ time, level: "info", message: "open", fields: { key: "hunter2" } });
  expect(line).not.toContain("hunter2");
});
