import { addressBytes, isIpv4, isIpv6 } from "./ip-address.ts";
import { readProxyUrl } from "./proxy-url.ts";
import type { HostPort, ProxyAddress } from "./settings.ts";

/** What the environment says of the way to an address. */
export type EnvironmentRoute =
  | { readonly kind: "direct"; readonly why: string }
  | { readonly kind: "proxy"; readonly proxy: ProxyAddress; readonly variable: string }
  | { readonly kind: "fault"; readonly message: string };

/** Lower case first, as curl does. `HTTP_PROXY` is for requests, not for tunnels through a proxy. */
const variables = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] as const;

/**
 * Finds the way to `to` that the usual variables say: `HTTPS_PROXY`, then `ALL_PROXY`, unless
 * `NO_PROXY` names the host; each in lower case first.
 *
 * `NO_PROXY` is a list with commas: `*`, host names (which stand for their subdomains too, with or
 * without a dot before them), IP addresses, blocks such as `10.0.0.0/8`, each with `:port` or not.
 *
 * @param environment the variables; nothing else is looked at
 * @returns never the password, except in `proxy`
 * @example
 * proxyFromEnvironment({ HTTPS_PROXY: "http://proxy:3128" }, { host: "a.example", port: 443 }).variable; // "HTTPS_PROXY"
 */
export function proxyFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  to: HostPort,
): EnvironmentRoute {
  const exceptions = environment.no_proxy ?? environment.NO_PROXY ?? "";
  for (const item of exceptions.split(/[\s,]+/)) {
    if (item !== "" && isExcepted(item.toLowerCase(), to)) {
      return { kind: "direct", why: `NO_PROXY names ${item}` };
    }
  }
  const variable = variables.find((name) => (environment[name] ?? "") !== "");
  if (variable === undefined) {
    return { kind: "direct", why: "neither HTTPS_PROXY nor ALL_PROXY is set" };
  }
  const text = environment[variable] ?? "";
  // A value without a scheme is an HTTP proxy, as everywhere.
  const result = readProxyUrl(text.includes("://") ? text : `http://${text}`);
  return result.proxy === undefined
    ? { kind: "fault", message: `${variable} ${result.fault}` }
    : { kind: "proxy", proxy: result.proxy, variable };
}

function isExcepted(item: string, { host, port }: HostPort): boolean {
  if (item === "*") return true;
  const { name, portText } = splitPort(item);
  if (portText !== undefined && portText !== String(port)) return false;
  const wanted = host.toLowerCase().replace(/\.$/, "");
  if (isIpv4(wanted) || isIpv6(wanted)) return isInBlock(name, wanted);
  const domain = name.replace(/^\*?\./, "").replace(/\.$/, "");
  return domain !== "" && (wanted === domain || wanted.endsWith(`.${domain}`));
}

function splitPort(item: string): { name: string; portText: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(item);
  if (bracketed !== null) return { name: bracketed[1] ?? "", portText: bracketed[2] };
  const plain = /^([^:]*):(\d+)$/.exec(item);
  if (plain !== null) return { name: plain[1] ?? "", portText: plain[2] };
  return { name: item, portText: undefined };
}

/** Whether an address is `block`, or in it if it has a prefix length. */
function isInBlock(block: string, address: string): boolean {
  const [base = "", prefixText] = block.split("/", 2);
  const baseBits = bitsOf(base);
  const addressBits = bitsOf(address);
  if (baseBits === undefined || addressBits === undefined) return false;
  if (baseBits.length !== addressBits.length) return false;
  const prefix = prefixText === undefined ? baseBits.length : Number(prefixText);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > baseBits.length) return false;
  return baseBits.slice(0, prefix) === addressBits.slice(0, prefix);
}

/** An address as a text of 32 or 128 binary digits. */
function bitsOf(address: string): string | undefined {
  const bytes = addressBytes(address);
  return bytes && Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
}
