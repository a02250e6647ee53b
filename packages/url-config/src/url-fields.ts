import { createFindings, type Findings } from "./findings.ts";
import { formatHostPort, readHostPort } from "./host-port.ts";
import { readKey } from "./read-key.ts";
import type { HostPort } from "./settings.ts";
import { splitUrl } from "./split-url.ts";
import { UrlConfigError, type UrlProblem, urlProblem } from "./url-problem.ts";

/** A tunnel's URL taken apart into what can be changed by itself; nothing is filled in. */
export interface UrlFields {
  readonly scheme: "server" | "client";
  /** The tunnel key, decoded; `undefined` if none is given. A secret. */
  readonly key: string | undefined;
  readonly tunnel: HostPort;
  /** At least one. */
  readonly targets: readonly HostPort[];
  /** The query's texts by name, decoded, in the order of the URL; those that nobody knows too. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Takes the URL of a tunnel apart as lenient parsing does, without a look at what its parameters say.
 * {@link formatUrlFields} puts it together again.
 *
 * @throws {UrlConfigError} `INVALID_URL`: no `server://` or `client://`, or addresses that nobody can use
 * @example
 * readUrlFields("server://KEY@:10101/:80?mode=1").parameters.mode; // "1"
 */
export function readUrlFields(url: string): UrlFields {
  const findings = createFindings("INVALID_URL", true);
  const { scheme, userInfo, authority, path, query } = splitUrl(url);
  if (scheme !== "server" && scheme !== "client") {
    const shown = scheme === undefined ? "" : `${scheme}://`;
    const allowed = "server://, client://";
    throw new UrlConfigError("INVALID_URL", [
      urlProblem("UNKNOWN_SCHEME", "scheme", shown, allowed, "is not known here"),
    ]);
  }
  const tunnel = readAddress(authority, "tunnel address", findings);
  const texts = path.slice(1).split(",");
  const targets = texts
    .map((text) => text.trim())
    .filter((text) => text !== "" || texts.length === 1)
    .map((text) => readAddress(text, "target address", findings));
  findings.throwIfFailed();
  const { key, keyGiven } = readKey(userInfo, tunnel.port, findings);
  return {
    scheme,
    key: keyGiven ? key : undefined,
    tunnel,
    targets,
    parameters: readPairs(query ?? ""),
  };
}

/**
 * The URL of what {@link readUrlFields} took apart: no default is spelled out. A key is in it,
 * percent-encoded.
 *
 * @example
 * formatUrlFields({ ...readUrlFields("server://:1/:80?mode=1"), parameters: { mode: "2" } }); // "server://:1/:80?mode=2"
 */
export function formatUrlFields(fields: UrlFields): string {
  const key = fields.key === undefined ? "" : `${encodeURIComponent(fields.key)}@`;
  const targets = fields.targets.map(formatHostPort).join(",");
  const pairs = Object.entries(fields.parameters).map(
    ([name, text]) => `${encodeURIComponent(name)}=${encodeURIComponent(text)}`,
  );
  const query = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  return `${fields.scheme}://${key}${formatHostPort(fields.tunnel)}/${targets}${query}`;
}

function readAddress(text: string, parameter: string, findings: Findings): HostPort {
  const result: HostPort | UrlProblem = readHostPort(text, parameter);
  if (!("code" in result)) return result;
  findings.fail(result);
  return { host: "", port: 0 };
}

/** The first of a name counts, as everywhere; what has a broken escape stays as it is written. */
function readPairs(query: string): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (!pairs.has(name)) pairs.set(name, equals < 0 ? "" : decode(pair.slice(equals + 1)));
  }
  return Object.fromEntries(pairs);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // URIError: lenient parsing says so where the value is looked at.
    return text;
  }
}
