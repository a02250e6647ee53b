import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ConfigPath, SourceFile } from "./source-file.ts";

/** Longest key in a file, bytes. */
const MAX_BYTES = 4096;

/** `path` as seen from the folder of the configuration that names it. */
export function besideSource(path: string, source: SourceFile): string {
  return resolve(dirname(resolve(source.file)), path);
}

/**
 * A secret given as itself or by a file, whose last line break is not part of it.
 *
 * @param at path of the map that has the fields
 */
export function readSecret(
  given: { readonly key?: string | number | undefined; readonly keyFile?: string | undefined },
  fields: { readonly key: string; readonly keyFile: string },
  source: SourceFile,
  at: ConfigPath,
): string | undefined {
  const { key, keyFile } = given;
  if (key !== undefined && keyFile !== undefined) {
    source.fail([...at, fields.keyFile], `${fields.key} and ${fields.keyFile} are both given`);
    return undefined;
  }
  if (keyFile === undefined) return key === undefined ? undefined : String(key);
  const path = besideSource(keyFile, source);
  source.dependencies.push(path);
  const fail = (why: string): undefined => {
    source.fail([...at, fields.keyFile], `the file ${path} ${why}`);
    return undefined;
  };
  try {
    const text = readFileSync(path, "utf8").replace(/\r?\n$/, "");
    if (text === "") return fail("is empty");
    if (Buffer.byteLength(text) > MAX_BYTES) return fail(`is longer than ${MAX_BYTES} bytes`);
    return text;
  } catch (error) {
    return fail(`can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
