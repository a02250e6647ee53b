import { redactProxyUrl } from "./proxy-url.ts";
import { splitUrl } from "./split-url.ts";

/** Names whose value is hidden wherever they turn up in a query; none is a parameter of ours. */
const secretName = /^(?:pass(?:word|wd|phrase)?|psk|secret|token|api[-_]?key)$/i;

/** The parameter that holds a proxy's URL, with the proxy's password in it. */
const proxyName = /^via$/i;

/** What stands for a secret. */
export const redacted = "***";

/** A parameter's value as messages may show it. @param text decoded */
export function shownValue(name: string, text: string): string {
  if (secretName.test(name)) return redacted;
  return proxyName.test(name) ? redactProxyUrl(text) : text;
}

/** A parameter's name; one with an `@` is more likely the rest of a password with an `&` in it. */
export function shownName(name: string): string {
  return name.includes("@") ? redacted : name;
}

/**
 * The URL with its key, and the user and password of a proxy, replaced by `***`, for logs and
 * messages; all else stays as it is. Works on broken URLs too, and hides too much of one rather than
 * too little. Never throws.
 *
 * @example
 * redact("server://KEY@:10101/:80"); // "server://***@:10101/:80"
 */
export function redact(url: string): string {
  const { prefix, userInfo, authority, path, query, fragment } = splitUrl(url);
  const shown = query === undefined ? undefined : redactQuery(query, fragment);
  const hidesFragment = shown !== undefined && shown !== query && fragment !== undefined;
  return [
    prefix,
    userInfo === undefined ? "" : `${redacted}@`,
    authority,
    path,
    shown === undefined ? "" : `?${shown}`,
    fragment === undefined ? "" : `#${hidesFragment ? redacted : fragment}`,
  ].join("");
}

/**
 * A password may have been written unescaped, with an `&` or `#` in it: then a later part of the
 * query, or the fragment, has the `@` that ends it, and all from the proxy's name on is hidden.
 */
function redactQuery(query: string, fragment: string | undefined): string {
  const pairs = query.split("&");
  const shown: string[] = [];
  for (const [index, pair] of pairs.entries()) {
    const equals = pair.indexOf("=");
    const rawName = equals < 0 ? pair : pair.slice(0, equals);
    const rawText = equals < 0 ? "" : pair.slice(equals + 1);
    const name = decode(rawName);
    if (equals >= 0 && (name === undefined || secretName.test(name))) {
      shown.push(`${rawName}=${redacted}`);
    } else if (equals >= 0 && name !== undefined && proxyName.test(name)) {
      const rest = pairs.slice(index + 1);
      if (fragment !== undefined || rest.some((later) => /@|%40/.test(later))) {
        shown.push(`${rawName}=${redacted}`);
        break;
      }
      const text = decode(rawText);
      const safe = text === undefined ? redacted : redactProxyUrl(text);
      // What holds no secret stays as it is written.
      shown.push(text === safe || safe === text?.replace(/\/$/, "") ? pair : `${rawName}=${safe}`);
    } else {
      shown.push(pair);
    }
  }
  return shown.join("&");
}

/** `undefined` for a broken escape. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // URIError: the caller hides it.
    return undefined;
  }
}
