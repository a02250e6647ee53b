import { describe, expect, it } from "vitest";
import type { LogThreshold } from "./log-entry.ts";
import { createLogger, type LoggerOptions } from "./logger.ts";

const checkPoint = {
  mode: 2,
  ping: 3,
  pool: 64,
  tcps: 1,
  udps: 0,
  tcprx: 10,
  tcptx: 20,
  udprx: 0,
  udptx: 0,
};

function createRecorder(options: Omit<LoggerOptions, "write">) {
  const lines: string[] = [];
  const clock = () => new Date(2026, 0, 2, 3, 4, 5, 6);
  const logger = createLogger({ clock, ...options, write: (line) => lines.push(line) });
  return { logger, lines };
}

describe("createLogger", () => {
  it.each<[LogThreshold, string[]]>([
    ["debug", ["DEBUG", "INFO", "WARN", "ERROR", "EVENT"]],
    ["info", ["INFO", "WARN", "ERROR", "EVENT"]],
    ["warn", ["WARN", "ERROR", "EVENT"]],
    ["error", ["ERROR", "EVENT"]],
    ["event", ["EVENT"]],
    ["none", []],
  ])("at level %s writes %j", (level, expected) => {
    const { logger, lines } = createRecorder({ level });
    logger.debug({}, "text");
    logger.info({}, "text");
    logger.warn({}, "text");
    logger.error({}, "text");
    logger.checkPoint(checkPoint);
    expect(lines.map((line) => line.split(/ {2,}/)[1])).toEqual(expected);
    for (const name of ["debug", "info", "warn", "error", "event"] as const) {
      expect(logger.isEnabled(name)).toBe(expected.includes(name.toUpperCase()));
    }
  });

  it("writes whole lines in NodePass's format", () => {
    const { logger, lines } = createRecorder({ colour: true });
    logger.record({ level: "warn", message: "peer lost", fields: { after: 5, why: undefined } });
    logger.checkPoint(checkPoint);
    expect(lines).toEqual([
      "2026-01-02 03:04:05.006  \x1b[33mWARN \x1b[0m  peer lost after=5\n",
      "2026-01-02 03:04:05.006  \x1b[36mEVENT\x1b[0m  CHECK_POINT|MODE=2|PING=3ms|POOL=64" +
        "|TCPS=1|UDPS=0|TCPRX=10|TCPTX=20|UDPRX=0|UDPTX=0\n",
    ]);
  });

  it("writes one JSON object a line, a check point's numbers as fields", () => {
    const { logger, lines } = createRecorder({ format: "json", colour: true });
    logger.error({ port: 80, name: undefined }, "port in use");
    logger.checkPoint(checkPoint, { end: "server" });
    expect(lines.every((line) => line.endsWith("}\n"))).toBe(true);
    const [first, second] = lines.map((line) => JSON.parse(line));
    expect(first).toEqual({
      time: new Date(2026, 0, 2, 3, 4, 5, 6).toISOString(),
      level: "error",
      message: "port in use",
      fields: { port: 80 },
    });
    expect(second).toMatchObject({
      level: "event",
      message: "check point",
      fields: { ...checkPoint, end: "server" },
    });
  });

  it.each(["text", "json"] as const)("masks secrets in %s lines", (format) => {
    const { logger, lines } = createRecorder({ format });
    logger.info(
      { password: "hunter2", url: "server://hunter2@:1/:2" },
      "open client://hunter2@a:1",
    );
    expect(lines.join("")).not.toContain("hunter2");
    expect(lines.join("")).toContain("server://***@:1/:2");
  });
});
