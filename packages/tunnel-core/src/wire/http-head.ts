/** Where the head of an HTTP/1.1 message ends (RFC 9112, section 2.1). */
export const HEAD_END = "\r\n\r\n";

/** The head of an HTTP message: its first line and its fields, names in lower case. */
export interface HttpHead {
  readonly line: string;
  /** Fields that come several times are joined by `, ` (RFC 9110, section 5.3). */
  readonly fields: ReadonlyMap<string, string>;
}

/**
 * Reads the head of an HTTP/1.1 message.
 *
 * @param text up to, and without, the empty line that ends it
 * @returns `undefined` if it is malformed
 */
export function parseHttpHead(text: string): HttpHead | undefined {
  const [line = "", ...rest] = text.split("\r\n");
  const fields = new Map<string, string>();
  for (const row of rest) {
    const colon = row.indexOf(":");
    const name = row.slice(0, Math.max(0, colon)).toLowerCase();
    // No white space before the colon, no folded lines (RFC 9112, sections 5.1 and 5.2).
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) return undefined;
    const value = row.slice(colon + 1).trim();
    if (/[\0\r\n]/.test(value)) return undefined;
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { line, fields };
}

/** Whether a comma-separated field holds this token, in any case. */
export function hasToken(value: string | undefined, token: string): boolean {
  if (value === undefined) return false;
  return value.split(",").some((part) => part.trim().toLowerCase() === token);
}

/** The path of a request target, without the query. */
export function pathOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?]*/i, "").replace(/[?#].*$/s, "");
  return path === "" ? "/" : path;
}
