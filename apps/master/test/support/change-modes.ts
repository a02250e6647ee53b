import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Gives a folder and all in it other modes; links are left alone. */
export function changeModes(path: string, change: (mode: number) => number): void {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return;
  const mode = stats.mode & 0o7777;
  // First, if it is to become readable; a folder that stays readable can be changed at any time.
  chmodSync(path, change(mode));
  if (!stats.isDirectory()) return;
  for (const name of readdirSync(path)) changeModes(join(path, name), change);
}
