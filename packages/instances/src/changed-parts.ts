import type { TunnelSpec } from "./workers/messages.ts";

/** Parts of a URL under the names that people write them with, by the setting that they become. */
const NAMES: Readonly<Record<string, string>> = {
  scheme: "scheme",
  key: "password",
  tunnel: "address",
  targets: "targets",
  readTimeoutMs: "read",
  rateBytesPerSecond: "rate",
  rateDownBytesPerSecond: "rate",
  connectionRates: "rateconn",
  slotPerAddress: "slotip",
  udpIdleMs: "udpidle",
  proxyVersion: "proxy",
  hosts: "host",
  quotaDay: "quotaday",
  dnsTtlMs: "dns",
  keyFile: "key",
  tcp: "notcp",
  udp: "noudp",
};

/** Settings that say how another one came about. */
const DERIVED: ReadonlySet<string> = new Set(["keyGiven"]);

/**
 * What differs between two URLs, as names of their parts: parameters, `scheme`, `password`,
 * `address` and `targets`. A URL that could not be read differs in everything.
 */
export function changedParts(before: TunnelSpec | undefined, after: TunnelSpec): string[] {
  const old = new Map<string, unknown>(Object.entries(before ?? {}));
  const now = new Map<string, unknown>(Object.entries(after));
  const settings = new Set([...old.keys(), ...now.keys()]);
  const changed = [...settings]
    .filter((name) => !DERIVED.has(name))
    .filter((name) => JSON.stringify(old.get(name)) !== JSON.stringify(now.get(name)))
    .map((name) => NAMES[name] ?? name);
  return [...new Set(changed)].sort();
}
