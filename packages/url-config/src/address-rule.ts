import { isIpv4, isIpv6 } from "./ip-address.ts";

/**
 * One item of `allow` or `deny`, as its text says it: `10.0.0.0/8`, `2001:db8::1`,
 * `peers:192.0.2.0/24`, `users:file:/etc/nodepass/office.txt`.
 */
export interface AddressRule {
  /** `users`: where users connect; `peers`: at the tunnel port; `all`: at both, and at an API. */
  readonly at: "all" | "users" | "peers";
  /** An IP address or a block of them in CIDR form (RFC 4632, RFC 4291); `undefined` for a file. */
  readonly network: string | undefined;
  /** A file with a network on each line; `undefined` for a network. */
  readonly file: string | undefined;
}

/** What one item may look like, in words. */
export const ruleForm = "an IP address, a block such as 10.0.0.0/8, or file:PATH";

/** Most items of one list; more of them belong into a file. */
export const mostRules = 256;

/**
 * Whether `text` is an IP address or a block of addresses, `address/bits`. Bits of the address beyond
 * the block are fine, a zone is not.
 *
 * @example
 * isNetwork("2001:db8::/32"); // true
 */
export function isNetwork(text: string): boolean {
  const slash = text.indexOf("/");
  const address = slash < 0 ? text : text.slice(0, slash);
  const longest = isIpv4(address) ? 32 : isIpv6(address) && !address.includes("%") ? 128 : 0;
  if (slash < 0) return longest > 0;
  const bits = text.slice(slash + 1);
  return longest > 0 && /^(?:0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= longest;
}

/**
 * Reads one item of `allow` or `deny`.
 *
 * @returns `undefined` if it is none
 * @example
 * readAddressRule("peers:192.0.2.1")?.network; // "192.0.2.1"
 */
export function readAddressRule(text: string): AddressRule | undefined {
  const place = /^(users|peers):/.exec(text)?.[1];
  const at = place === "users" || place === "peers" ? place : "all";
  const what = at === "all" ? text : text.slice(at.length + 1);
  if (what.startsWith("file:")) {
    const file = what.slice("file:".length);
    return file === "" || file.includes("\0") ? undefined : { at, network: undefined, file };
  }
  return isNetwork(what) ? { at, network: what, file: undefined } : undefined;
}
