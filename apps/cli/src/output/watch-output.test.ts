import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { watchOutput } from "./watch-output.ts";

it("tells a reader that is gone from a failure to write", () => {
  const output = new EventEmitter();
  const watch = watchOutput(output);
  const full = Object.assign(new Error("no space"), { code: "ENOSPC" });
  output.emit("error", full);
  expect(watch.closed.aborted).toBe(false);
  expect(watch.failure()).toBe(full);
  output.emit("error", Object.assign(new Error("broken pipe"), { code: "EPIPE" }));
  expect(watch.closed.aborted).toBe(true);
});
