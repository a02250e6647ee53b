import { formatHostPort, type HostPort, isWildcard } from "@nodepass/url-config";

/** What of `os.networkInterfaces()` this needs. */
export type NetworkInterfaces = Readonly<
  Record<
    string,
    | readonly {
        readonly address: string;
        readonly family: string;
        readonly internal: boolean;
      }[]
    | undefined
  >
>;

/**
 * Where others find a bound address: itself, or for all interfaces the first address of this host
 * that is not loopback, IPv4 if it has one.
 */
export function reachableAddress(bound: HostPort, interfaces: NetworkInterfaces): HostPort {
  if (!isWildcard(bound.host)) return bound;
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const outward = all.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  const chosen = outward.find(({ family }) => family === "IPv4") ?? outward[0];
  return { host: chosen?.address ?? "127.0.0.1", port: bound.port };
}

/** The API's URL at an address, without a trailing slash. */
export function apiUrl(address: HostPort, prefix: string, isSecure: boolean): string {
  return `${isSecure ? "https" : "http"}://${formatHostPort(address)}${prefix}`;
}
