import { fillAuto, joinUrl, redact, splitUrl } from "@nodepass/url-config";
import { isSameUrl } from "../same-url.ts";

/**
 * Whether a part with `actual` does what `desired` asks for. What the hub fills in (`auto`, a key that is
 * left out) is as it is; who is shown no keys can't tell that one differs.
 */
export function isSamePartUrl(desired: string, actual: string): boolean {
  const filled = withKeyOf(fillAuto(desired, actual), actual);
  return (
    isSameUrl(filled, actual) || (redact(actual) === actual && isSameUrl(redact(filled), actual))
  );
}

/** The URL to ask a hub for, of a part that has `actual`: with the ports that it has. */
export function askedUrl(desired: string, actual: string): string {
  const filled = fillAuto(desired, actual);
  // The hub knows where the server is by then, this one where it was.
  const { authority } = splitUrl(desired);
  return authority === "auto" ? joinUrl({ ...splitUrl(filled), authority }) : filled;
}

function withKeyOf(url: string, actual: string): string {
  const parts = splitUrl(url);
  return parts.userInfo ? url : joinUrl({ ...parts, userInfo: splitUrl(actual).userInfo });
}
