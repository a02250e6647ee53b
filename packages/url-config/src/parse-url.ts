import { ENGLISH } from "./describe/english.ts";
import { withoutEffect } from "./describe/without-effect.ts";
import { createFindings, type Findings } from "./findings.ts";
import { readMasterUrl } from "./parse-master-url.ts";
import type { LenientResult, ParseOptions } from "./parse-options.ts";
import { readTunnelUrl } from "./parse-tunnel-url.ts";
import { redact } from "./redact.ts";
import type { ClientSettings, MasterSettings, ServerSettings, Settings } from "./settings.ts";
import { splitUrl, type UrlParts } from "./split-url.ts";
import { UrlConfigError, type UrlProblem, urlProblem } from "./url-problem.ts";

/** A longer URL is refused unread. */
const longestUrlCharacters = 65_536;

const tunnelSchemes = ["server", "client"] as const;
const everyScheme = [...tunnelSchemes, "master"] as const;

/**
 * Reads a `server://`, `client://` or `master://` URL: every setting, with defaults filled in.
 *
 * @throws {UrlConfigError} `INVALID_URL`; `problems` holds all that is wrong at once
 * @example
 * parse("client://edge:10101/127.0.0.1:80?rate=8").rateBytesPerSecond; // 1000000
 */
export function parse(url: string, options: ParseOptions = {}): Settings {
  return readAny(url, options, createFindings("INVALID_URL", false));
}

/**
 * Like {@link parse}, for servers and clients only.
 *
 * @throws {UrlConfigError} `INVALID_URL`
 * @example
 * parseTunnelUrl("client://edge:10101/127.0.0.1:80").readTimeoutMs; // 600000
 */
export function parseTunnelUrl(
  url: string,
  options: ParseOptions = {},
): ServerSettings | ClientSettings {
  return readTunnel(url, options, createFindings("INVALID_URL", false));
}

/**
 * Like {@link parse}, for masters only.
 *
 * @throws {UrlConfigError} `INVALID_URL`
 * @example
 * parseMasterUrl("master://:9090/api").prefix; // "/api"
 */
export function parseMasterUrl(url: string, options: ParseOptions = {}): MasterSettings {
  const findings = createFindings("INVALID_URL", false);
  const { parts } = openUrl(url, ["master"], findings);
  return readMasterUrl(parts, options.defaults ?? {}, findings);
}

/**
 * Reads a URL as NodePass 1.14 does, for clients of its API: unknown parameters are ignored, bad
 * values fall back to their defaults, the key may be unescaped. Each such thing is a warning.
 *
 * @throws {UrlConfigError} `INVALID_URL` for what nobody can run: an unknown scheme, no usable tunnel
 * or target address, a loop, UDP through a proxy
 * @example
 * parseLenient("client://edge:10101/127.0.0.1:80?rat=8").warnings[0]?.taken; // "ignored"
 */
export function parseLenient(url: string, options: ParseOptions = {}): LenientResult<Settings> {
  const findings = createFindings("INVALID_URL", true);
  const settings = readAny(url, options, findings);
  return { settings, warnings: [...findings.warnings, ...idleSettings(settings, options)] };
}

/**
 * Like {@link parseLenient}, for servers and clients only.
 *
 * @throws {UrlConfigError} `INVALID_URL`
 * @example
 * parseTunnelUrlLenient("client://edge:10101/127.0.0.1:80?min=x").settings.min; // 64
 */
export function parseTunnelUrlLenient(
  url: string,
  options: ParseOptions = {},
): LenientResult<ServerSettings | ClientSettings> {
  const findings = createFindings("INVALID_URL", true);
  const settings = readTunnel(url, options, findings);
  return { settings, warnings: [...findings.warnings, ...idleSettings(settings, options)] };
}

function idleSettings(settings: Settings, { defaults }: ParseOptions): UrlProblem[] {
  return withoutEffect(settings, defaults).map(({ name, value, shown, why }) => {
    const message = ENGLISH.warnings.noEffect(shown, why);
    return { code: "NO_EFFECT", parameter: name, value, allowed: "", message };
  });
}

function readAny(url: string, options: ParseOptions, findings: Findings): Settings {
  const { scheme, parts } = openUrl(url, everyScheme, findings);
  const defaults = options.defaults ?? {};
  return scheme === "master"
    ? readMasterUrl(parts, defaults, findings)
    : readTunnelUrl(scheme, parts, defaults, findings);
}

function readTunnel(
  url: string,
  options: ParseOptions,
  findings: Findings,
): ServerSettings | ClientSettings {
  const { scheme, parts } = openUrl(url, tunnelSchemes, findings);
  return readTunnelUrl(scheme, parts, options.defaults ?? {}, findings);
}

/** Takes the URL apart, if it is one of these schemes and can be looked at safely. */
function openUrl<S extends string>(
  url: string,
  schemes: readonly S[],
  findings: Findings,
): { scheme: S; parts: UrlParts } {
  const malformed = malformation(url);
  if (malformed !== undefined) {
    const problem = urlProblem("MALFORMED", "URL", "", "a URL of printable text", malformed);
    throw new UrlConfigError("INVALID_URL", [problem]);
  }
  const parts = splitUrl(url);
  const scheme = schemes.find((name) => name === parts.scheme);
  if (scheme === undefined) {
    const allowed = schemes.map((name) => `${name}://`).join(", ");
    const [shown, fault] =
      parts.scheme === undefined
        ? [redact(url), "has no scheme"]
        : [`${parts.scheme}://`, "is not known here"];
    throw new UrlConfigError("INVALID_URL", [
      urlProblem("UNKNOWN_SCHEME", "scheme", shown, allowed, fault),
    ]);
  }
  if (parts.fragment !== undefined) {
    const fault = "has no place in a NodePass URL";
    findings.overlook(
      urlProblem("MALFORMED", "fragment", "", "%23 for a # in a value", fault),
      "ignored",
    );
  }
  return { scheme, parts };
}

/** Why a text is no URL at all; nothing of it is quoted, as nobody knows where its key is. */
function malformation(url: string): string | undefined {
  if (url === "") return "is empty";
  if (url.length > longestUrlCharacters) {
    return `has ${url.length} characters, more than ${longestUrlCharacters}`;
  }
  // Control characters, and halves of UTF-16 pairs, which no encoding of a URL can carry.
  return /[\p{Cc}\p{Cs}]/u.test(url) ? "has control characters or broken Unicode" : undefined;
}
