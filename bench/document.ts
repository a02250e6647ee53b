import { readFileSync, writeFileSync } from "node:fs";

/**
 * Replaces what a document has between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
 *
 * @throws {Error} if the markers are not there
 */
export function replaceBetweenMarkers(file: string, name: string, content: string): void {
  const text = readFileSync(file, "utf8");
  const begin = `<!-- ${name}:begin -->`;
  const end = `<!-- ${name}:end -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${file} has no markers ${begin} and ${end}`);
  const before = text.slice(0, from + begin.length);
  writeFileSync(file, `${before}\n\n${content.trim()}\n\n${text.slice(to)}`);
}
