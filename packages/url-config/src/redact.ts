import { splitUrl } from "./split-url.ts";

/** Names whose value is hidden wherever they turn up in a query; none is a parameter of ours. */
const secretName = /^(?:pass(?:word|wd|phrase)?|psk|secret|token|api[-_]?key)$/i;

/** What stands for a secret. */
export const redacted = "***";

/** Whether a query key of this name is likely to carry a secret. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/**
 * The URL with its key replaced by `***`, for logs and messages; all else stays as it is. Works on
 * broken URLs too, and hides too much of one rather than too little. Never throws.
 */
export function redact(url: string): string {
  const { prefix, userInfo, authority, path, query, fragment } = splitUrl(url);
  const shownQuery = query?.replace(
    /(^|&)([^=&]*)=([^&]*)/g,
    (pair, before: string, name: string) =>
      isSecretName(name) ? `${before}${name}=${redacted}` : pair,
  );
  return [
    prefix,
    userInfo === undefined ? "" : `${redacted}@`,
    authority,
    path,
    shownQuery === undefined ? "" : `?${shownQuery}`,
    fragment === undefined ? "" : `#${fragment}`,
  ].join("");
}
