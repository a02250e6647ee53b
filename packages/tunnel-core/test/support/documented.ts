import { readFileSync } from "node:fs";

const document = readFileSync(new URL("../../../../docs/many-to-many.md", import.meta.url), "utf8");

/**
 * The URLs of the commands in one section of docs/many-to-many.md, so that what is told is what is
 * tested.
 *
 * @param replacements what stands for another in a test: ports, addresses, names of files
 */
export function documentedUrls(
  section: string,
  replacements: Readonly<Record<string, string>> = {},
): string[] {
  const [, body] = document.split(`\n## ${section}\n`);
  if (body === undefined) throw new Error(`docs/many-to-many.md has no section ${section}`);
  const own = body.split("\n## ")[0] ?? "";
  const urls = [...own.matchAll(/^nodepass '([^']+)'/gm)].map(([, url = ""]) => url);
  if (urls.length === 0) throw new Error(`section ${section} has no command`);
  return urls.map((url) =>
    Object.entries(replacements).reduce((text, [from, to]) => text.replaceAll(from, to), url),
  );
}
