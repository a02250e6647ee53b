import {
  formatHostPort,
  formatUrlFields,
  type HostPort,
  parseHostPort,
  parseTunnelUrlLenient,
  UrlConfigError,
  type UrlFields,
} from "@nodepass/url-config";
import { McpError } from "../mcp-error.ts";
import { type AddressSetting, isAddressSetting } from "./setting-names.ts";

/** Settings by name as texts: those of the address, all others are parameters of the query. */
export type SettingTexts = Readonly<Record<string, string | undefined>>;

/** A URL that can be sent. */
export interface ChangedUrl {
  readonly url: string;
  /** What masters overlook in it. */
  readonly warnings: readonly string[];
}

/** What a new tunnel begins with. */
export const NO_FIELDS: UrlFields = {
  scheme: "server",
  key: undefined,
  tunnel: { host: "", port: 0 },
  targets: [],
  parameters: {},
};

/**
 * Changes parts of a tunnel's URL; what is not named stays as it was written.
 *
 * @param texts an empty text removes a parameter, so that its default holds
 * @throws {McpError} `INVALID`, naming the setting, its value and what is allowed
 * @throws {UrlConfigError} `INVALID_URL` if nobody can run the whole
 */
export function changeSettings(before: UrlFields, texts: SettingTexts): ChangedUrl {
  const given = Object.entries(texts).filter(
    (each): each is [string, string] => each[1] !== undefined,
  );
  const address = Object.fromEntries(given.filter(([name]) => isAddressSetting(name)));
  const query = given.filter(([name]) => !isAddressSetting(name));
  const changed = new Map([...Object.entries(before.parameters), ...query]);
  for (const [name, text] of query) if (text === "") changed.delete(name);
  const url = formatUrlFields({
    scheme: readRole(address.role) ?? before.scheme,
    key: address.password === undefined ? before.key : address.password || undefined,
    tunnel: readAddress("tunnel", address, before.tunnel),
    targets: readTargets(address, before.targets),
    parameters: Object.fromEntries(changed),
  });
  return { url, warnings: checkUrl(url, new Set(query.map(([name]) => name))) };
}

/** Masters take the default for a value that they can't read; whoever sets one wants to know. */
function checkUrl(url: string, named: ReadonlySet<string>): string[] {
  const { warnings } = parseTunnelUrlLenient(url);
  const wrong = warnings.filter(
    ({ code, parameter }) =>
      code !== "UNKNOWN_PARAMETER" && code !== "NO_EFFECT" && named.has(parameter),
  );
  if (wrong.length > 0) {
    // Without what lenient reading would take: nothing is sent.
    const messages = wrong.map(({ message, taken }) =>
      taken === undefined ? message : message.slice(0, -`: ${taken}`.length),
    );
    throw new McpError("INVALID", messages.join("; "));
  }
  return warnings.map(({ message }) => message);
}

function readRole(role: string | undefined): UrlFields["scheme"] | undefined {
  if (role === undefined || role === "server" || role === "client") return role;
  throw invalid("role", role, "server, client");
}

function readTargets(
  address: Partial<Record<AddressSetting, string>>,
  before: readonly HostPort[],
): readonly HostPort[] {
  if (address.targets !== undefined) {
    const list = address.targets.split(",").map((text) => text.trim());
    return list.map((text) => toHostPort("targets", text));
  }
  if (address.target_address === undefined && address.target_port === undefined) return before;
  if (before.length > 1) {
    throw new McpError(
      "INVALID",
      `the instance has ${before.length} targets: give targets, all of them as host:port with commas`,
    );
  }
  return [readAddress("target", address, before[0] ?? { host: "", port: 0 })];
}

function readAddress(
  what: "tunnel" | "target",
  given: Partial<Record<AddressSetting, string>>,
  before: HostPort,
): HostPort {
  const host = given[`${what}_address`];
  const port = given[`${what}_port`];
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
    throw invalid(`${what}_port`, port, "a whole number, 0 to 65535");
  }
  const changed = {
    host: host === undefined ? before.host : host.replace(/^\[(.*)\]$/, "$1"),
    port: port === undefined ? before.port : Number(port),
  };
  // By itself: in a URL another character would make something else of it.
  if (host !== undefined && !isHost(changed)) {
    throw invalid(`${what}_address`, host, "a host name or an IP address");
  }
  return changed;
}

function isHost(address: HostPort): boolean {
  try {
    parseHostPort(formatHostPort(address));
    return true;
  } catch {
    // A UrlConfigError, which names the address as a whole.
    return false;
  }
}

function toHostPort(name: string, text: string): HostPort {
  try {
    return parseHostPort(text);
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    throw new McpError("INVALID", `${name}: ${error.message}`, { cause: error });
  }
}

function invalid(name: string, value: string, allowed: string): McpError {
  const shown = JSON.stringify(value.slice(0, 120));
  return new McpError("INVALID", `${name} ${shown} is not valid (allowed: ${allowed})`);
}
