import { existsSync } from "node:fs";
import { join } from "node:path";

/** The path of a program of Debian, or `undefined`, said in one line. */
export function findProgram(name: string, debian: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/bin", "/usr/sbin"];
  const path = folders.map((folder) => join(folder, name)).find((each) => existsSync(each));
  if (path === undefined) {
    console.warn(`left out: there is no ${name} here (Debian's package ${debian})`);
  }
  return path;
}
