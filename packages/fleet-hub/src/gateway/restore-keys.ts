import { redact, splitUrl } from "@nodepass/url-config";

/**
 * An URL as somebody sends it back who was shown another with its secrets masked: where a mask stands
 * for a secret of the old one, the secret is put back. What they changed stays changed.
 *
 * @param given as it was sent
 * @param real the old one, unmasked
 */
export function restoreKeys(given: string, real: string): string {
  const parts = splitUrl(given);
  const own = splitUrl(real);
  const shown = splitUrl(redact(real));
  const isMasked = parts.userInfo !== undefined && parts.userInfo === shown.userInfo;
  const userInfo = isMasked ? own.userInfo : parts.userInfo;
  const shownPairs = shown.query?.split("&") ?? [];
  const ownPairs = own.query?.split("&") ?? [];
  const query = parts.query
    ?.split("&")
    .map((pair) => {
      const at = shownPairs.indexOf(pair);
      return at < 0 ? pair : (ownPairs[at] ?? pair);
    })
    .join("&");
  return [
    parts.prefix,
    userInfo === undefined ? "" : `${userInfo}@`,
    parts.authority,
    parts.path,
    query === undefined ? "" : `?${query}`,
    parts.fragment === undefined ? "" : `#${parts.fragment}`,
  ].join("");
}
