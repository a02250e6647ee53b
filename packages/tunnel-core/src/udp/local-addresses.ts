import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";

/** How often the host's addresses are looked at while somebody follows them, ms. */
const LOOK_MS = 2000;

type Follower = (addresses: ReadonlySet<string>) => void;

const followers = new Set<Follower>();
let timer: NodeJS.Timeout | undefined;
let known: ReadonlySet<string> = new Set();

/** The host's addresses now; link-local IPv6 ones with their zone (RFC 4007). */
function localAddresses(): ReadonlySet<string> {
  const addresses = new Set<string>();
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    for (const { address, family, scopeid } of entries ?? []) {
      const zoned = family === "IPv6" && scopeid !== 0;
      addresses.add(zoned ? `${address}%${name}` : address);
    }
  }
  return addresses;
}

/**
 * Tells of the host's addresses: now, and whenever they have changed. One timer for all followers of
 * the process.
 *
 * @returns ends it
 */
export function followAddresses(follower: Follower): () => void {
  followers.add(follower);
  if (timer === undefined) {
    known = localAddresses();
    timer = setInterval(look, LOOK_MS).unref();
  }
  follower(known);
  return () => {
    followers.delete(follower);
    if (followers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function look(): void {
  const now = localAddresses();
  if (now.size === known.size && [...now].every((address) => known.has(address))) return;
  known = now;
  for (const follower of followers) follower(now);
}

/**
 * The IPv4 address that a user on this host asked, if its socket is connected: as Linux lists it
 * (proc_pid_net(5), `udp`).
 *
 * @param from the user's address
 * @param port the port that it asked
 */
export function askedAddress(
  from: Pick<AddressInfo, "address" | "port">,
  port: number,
): string | undefined {
  let table: string;
  try {
    table = readFileSync("/proc/net/udp", "latin1");
  } catch {
    return undefined;
  }
  const local = inHex(from.address.replace("::ffff:", ""), from.port);
  const end = `:${hexPort(port)}`;
  for (const line of table.split("\n")) {
    const [, mine, remote] = line.trim().split(/\s+/);
    if (mine === local && remote?.endsWith(end) === true) return fromHex(remote);
  }
  return undefined;
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}

/** As the table writes an address: its bytes as a number of the machine, little-endian. */
function inHex(address: string, port: number): string {
  const bytes = Buffer.from(address.split(".").map(Number)).reverse();
  return `${bytes.toString("hex").toUpperCase()}:${hexPort(port)}`;
}

function fromHex(text: string): string {
  return Buffer.from(text.slice(0, 8), "hex").reverse().join(".");
}
