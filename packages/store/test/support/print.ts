import { writeSync } from "node:fs";

/** Prints so that the line is in the pipe when this returns, even if the process is killed then. */
export function print(line: string): void {
  writeSync(1, `${line}\n`);
}
