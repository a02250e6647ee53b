/** Longest alias and longest string in `meta`, in characters (code points, as JSON Schema counts). */
export const MAX_TEXT_CHARACTERS = 256;

/** Longest instance URL, in bytes; with `config` and `meta` an event frame stays below 64 KiB. */
export const MAX_URL_BYTES = 8192;

/** Most tags of an instance. */
export const MAX_TAGS = 64;
/** Most bytes that all tags of an instance take as JSON. */
export const MAX_TAGS_BYTES = 8192;

const LONE_SURROGATE = /\p{Surrogate}/u;
const encoder = new TextEncoder();

/** Whether `text` can be written as UTF-8 and read back: a lone surrogate would change silently. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** Bytes of `text` in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).byteLength;
}

/** Whether `text` has at most `limit` code points; looks at no more of it than needed. */
export function hasAtMostCharacters(text: string, limit: number): boolean {
  if (text.length <= limit) return true;
  return text.length <= limit * 2 && Array.from(text).length <= limit;
}
