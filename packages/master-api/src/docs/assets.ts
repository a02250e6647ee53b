import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { SWAGGER_INIT } from "./swagger-page.ts";

/** Files of Swagger UI that the page uses, and their types; nothing else is ever read. */
export const SWAGGER_FILES = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
} as const;

/** One file of the page: its media type and what is in it. */
export interface DocsAsset {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** `@returns` one of the page's files, or `undefined` for an unknown name */
export type ReadDocsAsset = (name: string) => Promise<DocsAsset | undefined>;

async function readSwaggerFile(name: string): Promise<Buffer<ArrayBuffer>> {
  try {
    // Where the package's build puts the files.
    return await readFile(new URL(`./swagger-ui/${name}`, import.meta.url));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    // In a checkout, without a build, from the development dependency.
    return readFile(createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`));
  }
}

/** Reads from the package's own files: documentation works without internet. */
export const readPackagedAsset: ReadDocsAsset = async (name) => {
  if (name === "init.js") {
    const bytes = new TextEncoder().encode(SWAGGER_INIT);
    return { type: "text/javascript; charset=utf-8", bytes };
  }
  const type = Object.entries(SWAGGER_FILES).find(([file]) => file === name)?.[1];
  if (type === undefined) return undefined;
  return { type, bytes: await readSwaggerFile(name) };
};
