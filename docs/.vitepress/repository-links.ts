import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { MarkdownRenderer } from "vitepress";
import { pageOf } from "./rewrites.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const repository = "https://github.com/NodePassProject/nodepass-ts";

/**
 * Links of the documents go to files of the repository, as readers there need them. On the site they go
 * to the page that the file is, else to the file in the repository.
 *
 * @throws {Error} for a link to a file that is not there
 */
export function repositoryLinks(md: MarkdownRenderer): void {
  md.core.ruler.push("repository-links", ({ tokens, env }) => {
    const page: string = env.realPath ?? env.path;
    const from = writtenIn(page);
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const name = { link_open: "href", image: "src" }[token.type];
      const link = name === undefined ? null : token.attrGet(name);
      if (name === undefined || link === null || /^(?:[a-z]+:|#|\/)/i.test(link)) continue;
      if (name === "href") token.attrSet(name, resolveLink(from, link));
      else token.attrSet(name, `./${relative(dirname(page), resolve(dirname(from), link))}`);
    }
  });
}

/** The file that the text of a page is in: it may be no more than the name of another one. */
function writtenIn(page: string): string {
  const included = /^<!--@include: (\S+)-->\s*$/.exec(readFileSync(page, "utf8"))?.[1];
  return included === undefined ? page : resolve(dirname(page), included);
}

function resolveLink(from: string, href: string): string {
  const [file = "", hash] = href.split("#", 2);
  const target = resolve(dirname(from), decodeURI(file));
  if (!target.startsWith(root) || !existsSync(target)) {
    throw new Error(`${relative(root, from)} links to ${href}, which is not there`);
  }
  const isFolder = statSync(target).isDirectory();
  const path = relative(root, target);
  const page = pageOf(isFolder ? join(path, "README.md") : path);
  const anchor = hash === undefined ? "" : `#${hash}`;
  if (page !== undefined && existsSync(isFolder ? join(target, "README.md") : target)) {
    return page + anchor;
  }
  return `${repository}/${isFolder ? "tree" : "blob"}/main/${path}${anchor}`;
}
