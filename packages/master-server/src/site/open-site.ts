import { createHash } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Site } from "@nodepass/master-api";
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
/** And for what it is the API of. */
const SERVER_MARK = "__NODEPASS_SERVER__";

type Encoding = (typeof ENCODINGS)[number][0];

/** No path in disguise. */
const NAME = /^[\w-]+(?:\.[\w-]+)+$/;

/**
 * The dashboard in a folder: `index.html`, and `assets/` with `.br` and `.gz` beside its files. Files
 * are read when somebody asks, and kept by browsers alone: a master without a page open holds nothing
 * of it, and a package that is updated under a running master serves what it is then.
 *
 * @param server what serves it: a master, or the hub of a fleet
 * @throws {Error} of the file system, if there is no such folder
 */
export function openSite(folder: string | URL, server: "master" | "hub" = "master"): Site {
  const path = typeof folder === "string" ? folder : fileURLToPath(folder);
  accessSync(join(path, "index.html"), constants.R_OK);
  return {
    page: async (api) => {
      const html = await readFile(join(path, "index.html"), "utf8");
      const bytes = new TextEncoder().encode(
        html.replace(API_MARK, api).replace(SERVER_MARK, server),
      );
      const digest = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
      return { type: "text/html; charset=utf-8", encoding: undefined, etag: `"${digest}"`, bytes };
    },
    asset: async (name, acceptEncoding) => {
      const type = TYPES[extname(name)];
      if (type === undefined || !NAME.test(name)) return undefined;
      const accepted = acceptedEncodings(acceptEncoding);
      const best = ENCODINGS.filter(([encoding]) => accepted.has(encoding));
      for (const [encoding, ending] of [...best, [undefined, ""] as const]) {
        const bytes = await readIfThere(join(path, "assets", `${name}${ending}`));
        // The name holds a digest of the content.
        if (bytes !== undefined) return { type, encoding, etag: `"${name}${ending}"`, bytes };
      }
      return undefined;
    },
  };
}

async function readIfThere(path: string): Promise<Buffer<ArrayBuffer> | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
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
