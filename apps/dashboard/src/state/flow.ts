import type { RemoteInstance } from "@nodepass/master-client";
import {
  type ClientSettings,
  formatHostPort,
  type HostPort,
  isWildcard,
  parseTunnelUrlLenient,
  type ServerSettings,
} from "@nodepass/url-config";

/**
 * What an instance does: a `forwarder` takes users and dials by itself; of a tunnel's two ends the
 * `entry` takes users and the `exit` dials; a `client` may be either, its server decides. `auto` has
 * not run yet and decides when it does.
 */
export type FlowKind = "forwarder" | "entry" | "exit" | "client" | "auto";

/** What an instance does, and where. */
export interface Flow {
  readonly kind: FlowKind;
  readonly isServer: boolean;
  /** Between the two ends; the users' address for a forwarder. */
  readonly tunnel: HostPort;
  /** Where users connect, at the entry; where connections go on to, at all others. */
  readonly targets: readonly HostPort[];
  readonly settings: ServerSettings | ClientSettings;
}

const known = new Map<string, Flow | undefined>();
const MOST_KNOWN = 20_000;

/** What an instance does; `undefined` for a URL that nobody can read. */
export function flowOf({ config, url, mode }: RemoteInstance): Flow | undefined {
  const text = config === "" ? url : config;
  const name = `${mode} ${text}`;
  if (known.has(name)) return known.get(name);
  const flow = readFlow(text, mode);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(name, flow);
  return flow;
}

function readFlow(url: string, mode: number): Flow | undefined {
  try {
    const { settings } = parseTunnelUrlLenient(url);
    const { tunnel, targets } = settings;
    const isServer = settings.scheme === "server";
    // As it runs, where it does; what the URL says else.
    const ran = mode === 0 ? settings.mode : mode;
    const kinds = isServer
      ? (["auto", "entry", "exit"] as const)
      : (["auto", "forwarder", "client"] as const);
    return { kind: kinds[ran] ?? "auto", isServer, tunnel, targets, settings };
  } catch {
    return undefined;
  }
}

/** An address as people write it: `:80` for one on all interfaces. */
export function shortAddress(address: HostPort): string {
  return isWildcard(address.host) ? `:${address.port}` : formatHostPort(address);
}

/** Addresses in a line, the first two of many. */
function shortAddresses(addresses: readonly HostPort[]): string {
  const rest = addresses.length - 2;
  const shown = addresses.slice(0, 2).map(shortAddress).join(", ");
  return rest > 0 ? `${shown} +${rest}` : shown;
}

/** From where to where, in the order in which connections go. */
export function routeOf(flow: Flow): readonly [from: string, to: string] {
  const tunnel = shortAddress(flow.tunnel);
  const targets = shortAddresses(flow.targets);
  return flow.kind === "entry" ? [targets, tunnel] : [tunnel, targets];
}
