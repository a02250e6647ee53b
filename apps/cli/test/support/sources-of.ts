import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The modules that loaded files (URLs) are made of: a file of the command is many, which its map lists. */
export function sourcesOf(files: readonly string[]): string[] {
  return files.flatMap((url) => {
    const path = fileURLToPath(url);
    if (!existsSync(`${path}.map`)) return [path];
    const { sources }: { sources: string[] } = JSON.parse(readFileSync(`${path}.map`, "utf8"));
    return sources.map((source) => join(path, "..", source));
  });
}
