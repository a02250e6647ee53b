import { createLogger } from "@nodepass/logging";
import { expect, it } from "vitest";
import { toApiLogger } from "./api-logger.ts";

it("writes values of any kind on one line", () => {
  const lines: string[] = [];
  const logger = toApiLogger(createLogger({ write: (line) => lines.push(line) }));
  logger.error({ error: new Error("bo\nom"), path: "/x", none: undefined, at: null }, "failed");
  logger.warn({ count: 3, ok: false }, "odd");
  expect(lines[0]).toMatch(/ERROR {2}failed error="Error: bo\\x0aom\\x0a.* path=\/x at=null\n$/);
  expect(lines[1]).toMatch(/WARN {3}odd count=3 ok=false\n$/);
});
