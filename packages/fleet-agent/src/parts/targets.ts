import { BlockList, isIP } from "node:net";
import type { ClientSettings, HostPort, ServerSettings } from "@nodepass/url-config";
import { FleetAgentError } from "../fleet-agent-error.ts";

/** Addresses that a fleet's instances may dial. */
export interface TargetRules {
  /** What they were read from. */
  readonly text: string;
  /** @returns whether a host, as a URL names it, is among them */
  admits(host: string): boolean;
}

/** Says that there is no bound, to take back one of before. */
export const ANY_TARGET = "any";

const NAME = /^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;

/**
 * Reads `10.0.0.0/8,2001:db8::/32,192.0.2.7,db.internal,*.example.com`. A name admits itself, and is not
 * looked up: who lists it trusts what it leads to. `any` is every address.
 *
 * @returns `undefined` for no text
 * @throws {FleetAgentError} `INVALID_OPTIONS`
 */
export function readTargets(text: string | undefined): TargetRules | undefined {
  if (text === undefined) return undefined;
  if (text.trim() === ANY_TARGET) return { text: ANY_TARGET, admits: () => true };
  const networks = new BlockList();
  const names = new Set<string>();
  for (const item of text.split(",").map((one) => one.trim().toLowerCase())) {
    if (item === "") continue;
    if (!addNetwork(networks, item)) {
      if (!NAME.test(item)) throw wrong(item);
      names.add(item);
    }
  }
  return { text, admits: (host) => admits(networks, names, host) };
}

function admits(networks: BlockList, names: ReadonlySet<string>, text: string): boolean {
  const host = text.toLowerCase().replace(/\.$/, "");
  const family = isIP(host);
  // An empty one is this machine.
  if (host === "") return networks.check("127.0.0.1") || names.has("localhost");
  if (family !== 0) return networks.check(host, family === 6 ? "ipv6" : "ipv4");
  if (names.has(host)) return true;
  const labels = host.split(".");
  return labels.some((_, at) => at > 0 && names.has(`*.${labels.slice(at).join(".")}`));
}

/** @returns whether it is an address or a network */
function addNetwork(networks: BlockList, item: string): boolean {
  const [address = "", bits, ...more] = item.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  const kind = family === 6 ? "ipv6" : "ipv4";
  const longest = family === 6 ? 128 : 32;
  const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (length < 0 || length > longest) throw wrong(item);
  networks.addSubnet(address, length, kind);
  return true;
}

function wrong(item: string): FleetAgentError {
  return new FleetAgentError(
    "INVALID_OPTIONS",
    `targets: ${JSON.stringify(item.slice(0, 80))} is neither an IP address, a network nor a host name`,
  );
}

/**
 * What a tunnel may come to dial. Without a mode it is not known yet which of its addresses are
 * listened on, so they all count.
 */
export function dialledAddresses(settings: ServerSettings | ClientSettings): HostPort[] {
  const { targets, mode, tunnel } = settings;
  if (settings.scheme === "server") return mode === 1 ? [] : [...targets];
  if (mode === 1) return [...targets];
  const { via } = settings;
  const proxy = typeof via === "object" ? [{ host: via.host, port: via.port }] : [];
  return [tunnel, ...settings.otherServers, ...targets, ...proxy];
}
