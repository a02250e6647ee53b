import { z } from "@hono/zod-openapi";

/** Longest alias and longest string in `meta`, in characters (code points, as JSON Schema counts). */
export const MAX_TEXT_CHARACTERS = 256;

/** Longest instance URL, in bytes; with `config` and `meta` an event frame stays below 64 KiB. */
export const MAX_URL_BYTES = 8192;

/** Most tags of an instance, and the most bytes that all of them take as JSON. */
export const MAX_TAGS = 64;
export const MAX_TAGS_BYTES = 8192;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether `text` can be written as UTF-8 and read back: a lone surrogate would change silently. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** Bytes of `text` in UTF-8. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** Whether `text` has at most `limit` code points; looks at no more of it than needed. */
export function hasAtMostCharacters(text: string, limit: number): boolean {
  if (text.length <= limit) return true;
  return text.length <= limit * 2 && Array.from(text).length <= limit;
}

/** A name or a value that people type: at most 256 characters of valid Unicode. */
export const shortText = () =>
  z
    .string()
    .refine((text) => hasAtMostCharacters(text, MAX_TEXT_CHARACTERS), {
      error: `longer than ${MAX_TEXT_CHARACTERS} characters`,
      abort: true,
    })
    .refine(isWellFormed, { error: "not valid Unicode" })
    .openapi({ maxLength: MAX_TEXT_CHARACTERS });
