import { networkInterfaces } from "node:os";

/** How often the host's addresses are looked at while somebody follows them, ms. */
const LOOK_MS = 2000;

type Follower = (addresses: ReadonlySet<string>) => void;

const followers = new Set<Follower>();
let timer: NodeJS.Timeout | undefined;
let known: ReadonlySet<string> = new Set();

/** The host's addresses now; link-local IPv6 ones with their zone (RFC 4007). */
export function localAddresses(): ReadonlySet<string> {
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
