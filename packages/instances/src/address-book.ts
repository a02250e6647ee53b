import { isIPv4, isIPv6 } from "node:net";
import { ServiceError } from "@nodepass/model";
import {
  type ClientSettings,
  canonicalIpv6,
  type HostPort,
  type ServerSettings,
} from "@nodepass/url-config";

/** An address that somebody else holds. */
export interface AddressConflict {
  readonly address: ClaimedAddress;
  readonly holder: string;
  /** Why it cannot be shared, where others can: what the holder is like, and what is needed. */
  readonly why?: string | undefined;
}

/** Who binds which address, found by port: a look-up does not depend on the number of instances. */
export class AddressBook {
  readonly #byPort = new Map<number, Map<string, ClaimedAddress[]>>();
  readonly #byHolder = new Map<string, readonly ClaimedAddress[]>();

  /** Replaces what `holder` had. Overlaps are the caller's business. */
  claim(holder: string, addresses: readonly ClaimedAddress[]): void {
    this.release(holder);
    if (addresses.length === 0) return;
    this.#byHolder.set(holder, addresses);
    for (const address of addresses) {
      const holders = this.#byPort.get(address.port) ?? new Map<string, ClaimedAddress[]>();
      this.#byPort.set(address.port, holders);
      const claimed = holders.get(holder);
      if (claimed === undefined) holders.set(holder, [address]);
      else claimed.push(address);
    }
  }

  release(holder: string): void {
    for (const { port } of this.#byHolder.get(holder) ?? []) {
      const holders = this.#byPort.get(port);
      holders?.delete(holder);
      if (holders?.size === 0) this.#byPort.delete(port);
    }
    this.#byHolder.delete(holder);
  }

  /** @throws {ServiceError} `CONFLICT` if somebody other than `holder` holds one of `addresses` */
  assertFree(holder: string, addresses: readonly ClaimedAddress[]): void {
    const conflict = this.conflict(holder, addresses);
    if (conflict === undefined) return;
    const { host, port } = conflict.address;
    const text = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const more = conflict.why === undefined ? "" : ` ${conflict.why}`;
    throw new ServiceError(
      "CONFLICT",
      `address ${text} is held by instance ${conflict.holder}${more}`,
    );
  }

  /** The first of `addresses` that somebody other than `holder` holds. */
  conflict(holder: string, addresses: readonly ClaimedAddress[]): AddressConflict | undefined {
    for (const address of addresses) {
      for (const [other, claimed] of this.#byPort.get(address.port) ?? []) {
        const held = other === holder ? undefined : claimed.find((one) => overlaps(one, address));
        if (held !== undefined) return { address, holder: other, why: whyAlone(held, address) };
      }
    }
    return undefined;
  }
}

/** An address that an instance binds. */
export interface ClaimedAddress extends HostPort {
  readonly tcp: boolean;
  readonly udp: boolean;
  /** A server's tunnel address: tunnels with different keys share it if they are alike. */
  readonly server?: Pick<ServerSettings, "key" | "type" | "path" | "tls"> | undefined;
  /** At a server's users' port: the names by which it is shared; none for who takes the rest. */
  readonly names?: readonly string[] | undefined;
}

/**
 * The addresses that an instance is sure to bind. Without a mode, a server takes its target address
 * and a client its tunnel address only if they are free, and dual-end clients learn from the server
 * whether they listen: none of these can be in anybody's way.
 */
export function wantedAddresses(settings: ServerSettings | ClientSettings): ClaimedAddress[] {
  const { mode, tunnel, targets } = settings;
  const wanted: ClaimedAddress[] = [];
  if (settings.scheme === "server") {
    wanted.push(tunnelClaim(settings, tunnel));
    const entry = targets[0];
    if (mode === 1 && entry !== undefined) wanted.push(entryClaim(settings, entry));
  } else if (mode === 1) {
    wanted.push(claim(settings, tunnel));
  }
  return wanted.flatMap(eachPort).filter(({ port }) => port !== 0);
}

/** The addresses that an instance has bound, by what its tunnel says. */
export function heldAddresses(
  settings: ServerSettings | ClientSettings,
  tunnelAddress: HostPort | undefined,
  entryAddress: HostPort | undefined,
): ClaimedAddress[] {
  const held: ClaimedAddress[] = [];
  if (tunnelAddress !== undefined) {
    held.push(
      settings.scheme === "server"
        ? tunnelClaim(settings, tunnelAddress)
        : claim(settings, tunnelAddress),
    );
  }
  if (entryAddress !== undefined) held.push(entryClaim(settings, entryAddress));
  return held;
}

function tunnelClaim(settings: ServerSettings, { host, port }: HostPort): ClaimedAddress {
  const { key, type, path, tls } = settings;
  return { host, port, tcp: true, udp: false, server: { key, type, path, tls } };
}

/** Each port of a range is bound on its own. */
function eachPort(address: ClaimedAddress): ClaimedAddress[] {
  const { port, lastPort = port } = address;
  return Array.from({ length: lastPort - port + 1 }, (_, place) => ({
    ...address,
    port: port + place,
    lastPort: undefined,
  }));
}

/** Of two tunnels with other names on one port each has its own users. */
function entryClaim(settings: ServerSettings | ClientSettings, at: HostPort): ClaimedAddress {
  const own = claim(settings, at);
  if (settings.scheme === "client") return own;
  const { hosts } = settings;
  return { ...own, udp: own.udp && hosts.length === 0, names: hosts };
}

function sharesByName(a: ClaimedAddress, b: ClaimedAddress): boolean {
  const [ours, theirs] = [a.names, b.names];
  if (ours === undefined || theirs === undefined || a.host !== b.host) return false;
  if (ours.length === 0 && theirs.length === 0) return false;
  return !ours.some((name) => theirs.includes(name));
}

function claim({ tcp, udp }: { tcp: boolean; udp: boolean }, at: HostPort): ClaimedAddress {
  return { host: at.host, port: at.port, lastPort: at.lastPort, tcp, udp };
}

/**
 * Whether two sockets could not be bound to these addresses at once, by their text: names are not
 * looked up, so that nobody is refused for a guess.
 */
export function overlaps(a: ClaimedAddress, b: ClaimedAddress): boolean {
  if (a.port !== b.port || isShared(a, b)) return false;
  return (
    (a.tcp &&
      b.tcp &&
      !sharesByName(a, b) &&
      hostsOverlap(hostOf(a.host, "tcp"), hostOf(b.host, "tcp"))) ||
    (a.udp && b.udp && hostsOverlap(hostOf(a.host, "udp"), hostOf(b.host, "udp")))
  );
}

/** Whether two server tunnels are on one tunnel port, which tells them apart by their keys. */
function isShared(a: ClaimedAddress, b: ClaimedAddress): boolean {
  if (a.server === undefined || b.server === undefined || a.host !== b.host) return false;
  return whyAlone(a, b) === undefined;
}

/** Why a server's tunnel port is not shared with this one; `undefined` also if no such port is. */
function whyAlone({ server: held, host }: ClaimedAddress, wanted: ClaimedAddress) {
  const { server } = wanted;
  if (held === undefined || server === undefined || host !== wanted.host) return undefined;
  const alike = (what: string, value: unknown, others = ""): string =>
    `with ${what}=${value}: several on one address need the same ${what}${others}`;
  if (held.type !== server.type) return alike("type", held.type);
  if (held.path !== server.path) return alike("path", held.path);
  if ((held.tls === 0) !== (server.tls === 0)) return alike("tls", held.tls, ", or 1 and 2");
  if (held.key !== server.key) return undefined;
  return "with the same key: several on one address need different ones";
}

interface Host {
  /** `undefined` for all addresses of the families. */
  readonly address: string | undefined;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

function hostsOverlap(a: Host, b: Host): boolean {
  if (a.address !== undefined && b.address !== undefined) return a.address === b.address;
  return (a.ipv4 && b.ipv4) || (a.ipv6 && b.ipv6);
}

function hostOf(host: string, protocol: "tcp" | "udp"): Host {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "") return { address: undefined, ipv4: true, ipv6: true };
  if (name === "localhost") return { address: "127.0.0.1", ipv4: true, ipv6: false };
  if (isIPv4(name)) {
    return { address: name === "0.0.0.0" ? undefined : name, ipv4: true, ipv6: false };
  }
  if (!isIPv6(name)) return { address: name, ipv4: true, ipv6: true };
  const address = canonicalIpv6(name);
  // A listener on [::] takes IPv4 connections too; our UDP sockets on it don't.
  if (address === "::") return { address: undefined, ipv4: protocol === "tcp", ipv6: true };
  return { address, ipv4: false, ipv6: true };
}
