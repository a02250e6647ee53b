import { formatHostPort, isLoopback, isWildcard } from "./host-port.ts";
import type { ClientSettings, HostPort, ServerSettings } from "./settings.ts";

/** Which end takes the users' connections: the server (`reverse`) or the client (`forward`). */
export type Flow = "reverse" | "forward";

/** What the settings of one end don't tell about the other. */
export interface OtherEndOptions {
  /** Where the server is reached, for a client's URL. @default the tunnel's host, if it is usable */
  readonly host?: string | undefined;
  /** @default what the mode says; with mode 0, what the target address suggests */
  readonly flow?: Flow | undefined;
}

/**
 * Writes the URL for the other end of a tunnel: a client's for a server and the other way round. What
 * can't be known stands in it as a placeholder in angle brackets, so it is a text for people, not for
 * `parse`. A key that was given is in it.
 *
 * @returns `undefined` for a single-end client, which has no other end
 * @example
 * urlForOtherEnd(parseTunnelUrl("server://KEY@:10101/:80?mode=1")); // "client://KEY@<server-host>:10101/<target-host:port>?mode=2"
 */
export function urlForOtherEnd(
  settings: ServerSettings | ClientSettings,
  options: OtherEndOptions = {},
): string | undefined {
  if (settings.scheme === "client" && settings.mode === 1) return undefined;
  const flow = options.flow ?? likelyFlow(settings);
  const key = settings.keyGiven ? `${encodeURIComponent(settings.key)}@` : "";
  const forClient = settings.scheme === "server";
  const tunnel = forClient ? dialAddress(settings.tunnel, options.host) : listenAddress(settings);
  // The exit dials a target, the entry listens on one.
  const isExit = forClient ? flow === "reverse" : flow === "forward";
  const target = isExit ? "<target-host:port>" : "<listen-host:port>";
  const own = forClient ? ["mode=2"] : serverQuery(settings, flow);
  const shared = [
    settings.path === "/" ? [] : [`path=${settings.path}`],
    settings.compat ? [] : ["compat=0"],
    settings.tcp ? [] : ["notcp=1"],
    settings.udp ? [] : ["noudp=1"],
  ].flat();
  const scheme = forClient ? "client" : "server";
  return `${scheme}://${key}${tunnel}/${target}?${[...own, ...shared].join("&")}`;
}

/** Where TLS ends in front of the server it has none of its own, and speaks HTTP to what stands there. */
function serverQuery({ front }: ClientSettings, flow: Flow): string[] {
  return [`mode=${flow === "reverse" ? 1 : 2}`, ...(front === 0 ? ["tls=1"] : ["tls=0", "type=2"])];
}

/** Mode 0 is reverse when the server can bind its target address: a local one, most likely. */
function likelyFlow(settings: ServerSettings | ClientSettings): Flow {
  const host = settings.targets[0]?.host ?? "";
  if (settings.scheme === "client") return isWildcard(host) ? "forward" : "reverse";
  if (settings.mode !== 0) return settings.mode === 1 ? "reverse" : "forward";
  return isWildcard(host) || isLoopback(host) ? "reverse" : "forward";
}

function dialAddress(tunnel: HostPort, host: string | undefined): string {
  const name = host ?? (isWildcard(tunnel.host) ? "<server-host>" : tunnel.host);
  return address(name, tunnel.port);
}

/** A server for this client: on all interfaces, unless the tunnel stays on this machine. */
function listenAddress({ tunnel }: ClientSettings): string {
  return address(isLoopback(tunnel.host) ? tunnel.host : "", tunnel.port);
}

function address(host: string, port: number): string {
  return port === 0
    ? formatHostPort({ host, port }).replace(/0$/, "<tunnel-port>")
    : formatHostPort({ host, port });
}
