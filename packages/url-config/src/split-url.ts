/** The raw parts of a NodePass URL; nothing is decoded. */
export interface UrlParts {
  /** Lower case, without `://`; `undefined` if the text has none. */
  readonly scheme: string | undefined;
  /** The scheme and `://` as written. */
  readonly prefix: string;
  /** Before the `@`: the tunnel key. `undefined` without `@`. */
  readonly userInfo: string | undefined;
  /** Between the `@` and the path: the tunnel address. */
  readonly authority: string;
  /** With its leading slash; `""` if there is none. */
  readonly path: string;
  /** Without the `?`; `undefined` if there is none. */
  readonly query: string | undefined;
  /** Without the `#`; `undefined` if there is none. */
  readonly fragment: string | undefined;
}

/** What ends the part of a URL that can hold the key: an address, then a path, without an `@`. */
const addressAndPath = /^[^@/?#\s]*:\d+\/[^@]*$/;
const masterAddress = /^[^@/?#\s]*:\d+(?:\/[^@]*)?$/;

/**
 * Takes a URL apart without decoding or checking it. Never throws.
 *
 * The key ends at the last `@` before the query: clients write passwords unescaped, and no address
 * has an `@`. A key may even hold an unescaped `?` or `#`; then what stands before it is no address,
 * and the last `@` of all counts. `redact` shares this rule, so that what is no part of the key here
 * is what is shown there.
 *
 * @example
 * splitUrl("server://KEY@:10101/:80?mode=1").authority; // ":10101"
 */
export function splitUrl(text: string): UrlParts {
  const prefix = /^\s*[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? "";
  const scheme = prefix === "" ? undefined : prefix.slice(0, -3).toLowerCase();
  const rest = text.slice(prefix.length);
  const head = rest.slice(0, endOf(rest, /[?#]/));
  let at = head.lastIndexOf("@");
  const shape = scheme === "master" ? masterAddress : addressAndPath;
  if (!shape.test(head.slice(at + 1))) at = rest.lastIndexOf("@");

  const userInfo = at < 0 ? undefined : rest.slice(0, at);
  const remaining = rest.slice(at + 1);
  const beforeFragment = remaining.slice(0, endOf(remaining, /#/));
  const beforeQuery = beforeFragment.slice(0, endOf(beforeFragment, /\?/));
  const authority = beforeQuery.slice(0, endOf(beforeQuery, /\//));
  return {
    scheme,
    prefix,
    userInfo,
    authority,
    path: beforeQuery.slice(authority.length),
    query:
      beforeQuery.length < beforeFragment.length
        ? beforeFragment.slice(beforeQuery.length + 1)
        : undefined,
    fragment:
      beforeFragment.length < remaining.length
        ? remaining.slice(beforeFragment.length + 1)
        : undefined,
  };
}

/**
 * The text that {@link splitUrl} took apart, as it was written: for changes of one part that leave the
 * others alone, also of URLs that are not whole yet.
 *
 * @example
 * joinUrl({ ...splitUrl("server://OLD@:10101/:80?mode=1"), userInfo: "NEW" }); // "server://NEW@:10101/:80?mode=1"
 */
export function joinUrl(parts: UrlParts): string {
  const { prefix, userInfo, authority, path, query, fragment } = parts;
  return [
    prefix,
    userInfo === undefined ? "" : `${userInfo}@`,
    authority,
    path,
    query === undefined ? "" : `?${query}`,
    fragment === undefined ? "" : `#${fragment}`,
  ].join("");
}

/** Where `pattern` first matches, or the end. */
function endOf(text: string, pattern: RegExp): number {
  const index = text.search(pattern);
  return index < 0 ? text.length : index;
}
