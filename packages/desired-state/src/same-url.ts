import {
  format,
  parseTunnelUrl,
  parseTunnelUrlLenient,
  UrlConfigError,
} from "@nodepass/url-config";

/**
 * Whether an instance with `actual` does what `desired` asks for. A master adds what it hands down
 * (`log`, and for servers `tls`, `crt`, `key`), and NodePass 1.14 writes the query anew, so texts tell
 * nothing.
 */
export function isSameUrl(desired: string, actual: string): boolean {
  if (desired === actual) return true;
  try {
    const is = parseTunnelUrlLenient(actual).settings;
    const handedDown =
      is.scheme === "server" ? { tls: is.tls, crt: is.crt, keyFile: is.keyFile } : {};
    const wanted = parseTunnelUrl(desired, { defaults: { log: is.log, ...handedDown } });
    return format(wanted) === format(is);
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    // What this version can't read is not what was asked for.
    return false;
  }
}
