import type { Findings } from "./findings.ts";
import { addressForm, readHostPort } from "./host-port.ts";
import { parameters } from "./parameters.ts";
import type { ParseDefaults } from "./parse-options.ts";
import { openQuery } from "./read-query.ts";
import { readTlsFiles } from "./read-tls.ts";
import { redacted } from "./redact.ts";
import type { HostPort, MasterSettings } from "./settings.ts";
import type { UrlParts } from "./split-url.ts";
import { urlProblem } from "./url-problem.ts";

/** Where the API is when the URL names no path. */
const defaultPrefix = "/api";

const segment = /^(?!\.{1,2}$)[A-Za-z0-9._~-]+$/;

/**
 * Reads a master URL that has been taken apart.
 *
 * @throws {UrlConfigError} `INVALID_URL` with all that is wrong
 */
export function readMasterUrl(
  parts: UrlParts,
  defaults: ParseDefaults,
  findings: Findings,
): MasterSettings {
  if (parts.userInfo !== undefined) {
    const fault = "has no place in a master URL";
    findings.overlook(
      urlProblem("UNKNOWN_PARAMETER", "tunnel key", redacted, "", fault),
      "ignored",
    );
  }
  const listen = readListenAddress(parts.authority, findings);
  const prefix = readPrefix(parts.path, findings);
  const query = openQuery(parts.query, "master", findings);
  const log = query.read(parameters.log, defaults.log);
  const tls = readTlsFiles(query, defaults, findings);
  const mcp = query.read(parameters.mcp);
  const ui = query.read(parameters.ui);
  const rules = { allow: query.read(parameters.allow), deny: query.read(parameters.deny) };
  for (const [name, items] of Object.entries(rules)) {
    for (const item of items.filter((each) => /^(?:users|peers):/.test(each))) {
      const fault = "is for a port of tunnels, which an API is not";
      findings.fail(urlProblem("UNSUPPORTED", name, item, "items without users: or peers:", fault));
    }
  }
  findings.throwIfFailed();
  return { scheme: "master", log, listen, prefix, ...rules, ...tls, mcp, ui };
}

function readListenAddress(authority: string, findings: Findings): HostPort {
  const result =
    authority === ""
      ? urlProblem("MISSING", "listen address", "", addressForm, "is missing")
      : readHostPort(authority, "listen address");
  if (!("code" in result)) return result;
  findings.fail(result);
  return { host: "", port: 0 };
}

/** The path without empty segments and final slashes, so that routes can be put behind it. */
function readPrefix(path: string, findings: Findings): string {
  const segments = path.split("/").filter((name) => name !== "");
  if (segments.length === 0) return defaultPrefix;
  if (!segments.every((name) => segment.test(name))) {
    const allowed = "a path of letters, digits and . _ ~ -";
    findings.fail(urlProblem("INVALID_VALUE", "prefix", path, allowed));
  }
  return `/${segments.join("/")}`;
}
