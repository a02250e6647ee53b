import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Site, SiteFile } from "@nodepass/master-api";
import { parseAccept } from "hono/utils/accept";

/** Media types by the end of a name; nothing else is served. */
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};
/** What the build makes beside a file, best first. */
const ENCODINGS = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;
/** Stands in the page for where the API is. */
const API_MARK = "__NODEPASS_API__";

type Encoding = (typeof ENCODINGS)[number][0];

/**
 * The dashboard in a folder: `index.html`, and `assets/` with `.br` and `.gz` beside its files. What
 * there is is looked up once, here; contents are read when somebody asks, and kept by browsers.
 *
 * @throws {Error} of the file system, if there is no such folder
 */
export function openSite(folder: string | URL): Site {
  const path = typeof folder === "string" ? folder : fileURLToPath(folder);
  const html = readFileSync(join(path, "index.html"), "utf8");
  const names = new Set(readdirSync(join(path, "assets")));
  const pages = new Map<string, SiteFile>();
  return {
    page: (api) => {
      const known = pages.get(api);
      if (known !== undefined) return known;
      const page = toPage(html.replace(API_MARK, api));
      pages.set(api, page);
      return page;
    },
    asset: (name, acceptEncoding) => {
      const type = TYPES[extname(name)];
      if (type === undefined || !names.has(name)) return undefined;
      const accepted = acceptedEncodings(acceptEncoding);
      const [encoding, ending] = ENCODINGS.find(
        ([each, end]) => accepted.has(each) && names.has(`${name}${end}`),
      ) ?? [undefined, ""];
      return {
        type,
        encoding,
        // The name holds a digest of the content.
        etag: `"${name}${ending}"`,
        bytes: () => readFile(join(path, "assets", `${name}${ending}`)),
      };
    },
  };
}

function toPage(text: string): SiteFile {
  const bytes = new TextEncoder().encode(text);
  return {
    type: "text/html; charset=utf-8",
    encoding: undefined,
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    bytes: async () => bytes,
  };
}

/** What `Accept-Encoding` takes; `q=0` is a refusal. */
function acceptedEncodings(header: string | undefined): ReadonlySet<Encoding> {
  const listed = parseAccept(header ?? "");
  const takes = (name: string): boolean => {
    const entry = listed.find(({ type }) => type.toLowerCase() === name);
    return (entry ?? listed.find(({ type }) => type === "*") ?? { q: 0 }).q > 0;
  };
  return new Set(ENCODINGS.map(([name]) => name).filter(takes));
}
