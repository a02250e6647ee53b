/** Which page of the site a document of the repository is; the others are none. */
export const rewrites: Record<string, string> = {
  "README.md": "index.md",
  "README.zh.md": "zh/index.md",
  "CHANGELOG.md": "changelog.md",
  "SECURITY.md": "reporting.md",
  "deploy/README.md": "deploy.md",
  "docs/zh/:page.md": "zh/:page.md",
  "docs/:page.md": ":page.md",
  "packages/:name/README.md": "packages/:name.md",
  "apps/:name/README.md": "apps/:name.md",
};

/**
 * The page of a document.
 *
 * @param path of the document in the repository
 * @returns its path on the site, such as `/packages/model`; `undefined` if it is no page
 */
export function pageOf(path: string): string | undefined {
  for (const [from, to] of Object.entries(rewrites)) {
    const pattern = new RegExp(`^${from.replaceAll(".", "\\.").replace(/:\w+/, "([^/]+)")}$`);
    const match = pattern.exec(path);
    if (match === null) continue;
    const page = to.replace(/:\w+/, match[1] ?? "").replace(/\.md$/, "");
    return `/${page.replace(/(^|\/)index$/, "$1")}`;
  }
  return undefined;
}
