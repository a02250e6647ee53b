import { isIPv4, isIPv6 } from "node:net";

/**
 * A set of IP addresses and networks, asked for one address in the time of a binary search.
 *
 * Not `node:net`'s `BlockList`: up to Node 22 it looks through its rules one by one (measured with
 * 10 000 networks: 300 µs for an address that is in none, against 1 µs here).
 *
 * Held as the bounds of ranges that neither overlap nor touch, IPv4 as numbers, IPv6 as 32 hex digits,
 * which are in the same order as the addresses.
 */
export class AddressSet {
  readonly #v4: Ranges<number>;
  readonly #v6: Ranges<string>;

  /** @param networks as `isNetwork` of url-config takes them */
  constructor(networks: Iterable<string>) {
    const v4: [number, number][] = [];
    const v6: [string, string][] = [];
    for (const network of networks) {
      const [text = "", bitsText] = network.split("/");
      const address = addressKey(text);
      if (address === undefined) continue;
      const bits = bitsText === undefined ? undefined : Number(bitsText);
      if (typeof address === "number") {
        // `::ffff:10.0.0.0/104` is a block of IPv4 addresses.
        const own = text.includes(":") && bits !== undefined ? Math.max(0, bits - 96) : bits;
        const size = 2 ** (32 - (own ?? 32));
        const first = Math.floor(address / size) * size;
        v4.push([first, first + size - 1]);
      } else {
        const digits = bits ?? 128;
        v6.push([masked(address, digits, "0"), masked(address, digits, "f")]);
      }
    }
    this.#v4 = merged(v4, (one, next) => next <= one + 1);
    this.#v6 = merged(v6, (one, next) => next <= one);
  }

  /** @param address IPv4, IPv6, or IPv4-mapped IPv6, which is the IPv4 address; a zone is left out */
  has(address: string): boolean {
    const canonical = addressKey(address);
    if (canonical === undefined) return false;
    return typeof canonical === "number"
      ? isWithin(this.#v4, canonical)
      : isWithin(this.#v6, canonical);
  }

  get isEmpty(): boolean {
    return this.#v4.first.length === 0 && this.#v6.first.length === 0;
  }
}

/** Ranges in their order: from `first` to `last`, both in it. */
interface Ranges<T> {
  readonly first: readonly T[];
  readonly last: readonly T[];
}

function merged<T extends number | string>(
  ranges: [T, T][],
  meets: (last: T, next: T) => boolean,
): Ranges<T> {
  ranges.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const first: T[] = [];
  const last: T[] = [];
  for (const [from, to] of ranges) {
    const before = last.at(-1);
    if (before === undefined || !meets(before, from)) {
      first.push(from);
      last.push(to);
    } else if (to > before) {
      last[last.length - 1] = to;
    }
  }
  return { first, last };
}

function isWithin<T extends number | string>({ first, last }: Ranges<T>, address: T): boolean {
  let low = 0;
  let high = first.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const from = first[middle];
    if (from !== undefined && from <= address) low = middle + 1;
    else high = middle;
  }
  const to = last[low - 1];
  return to !== undefined && address <= to;
}

/** The IPv4 address as a number, the IPv6 one as 32 hex digits; `undefined` if it is neither. */
export function addressKey(text: string): number | string | undefined {
  if (isIPv4(text)) return numberOf(text);
  const percent = text.indexOf("%");
  const bare = percent < 0 ? text : text.slice(0, percent);
  if (!isIPv6(bare)) return undefined;
  const digits = digitsOf(bare);
  return digits.startsWith(MAPPED) ? Number.parseInt(digits.slice(24), 16) : digits;
}

/** `::ffff:0:0/96`, IPv4-mapped (RFC 4291, section 2.5.5.2). */
const MAPPED = "00000000000000000000ffff";

function numberOf(ipv4: string): number {
  let value = 0;
  let part = 0;
  for (let at = 0; at < ipv4.length; at++) {
    const code = ipv4.charCodeAt(at);
    if (code === 0x2e) {
      value = value * 256 + part;
      part = 0;
    } else {
      part = part * 10 + code - 0x30;
    }
  }
  return value * 256 + part;
}

/** @param ipv6 valid, without a zone */
function digitsOf(ipv6: string): string {
  const dot = ipv6.lastIndexOf(".");
  let text = ipv6;
  if (dot >= 0) {
    const colon = ipv6.lastIndexOf(":");
    const low = numberOf(ipv6.slice(colon + 1))
      .toString(16)
      .padStart(8, "0");
    text = `${ipv6.slice(0, colon + 1)}${low.slice(0, 4)}:${low.slice(4)}`;
  }
  const gap = text.indexOf("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const front = groups(gap < 0 ? text : text.slice(0, gap));
  const back = gap < 0 ? [] : groups(text.slice(gap + 2));
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => "0");
  return [...front, ...zeros, ...back]
    .map((group) => group.toLowerCase().padStart(4, "0"))
    .join("");
}

/** The address with all its bits after the first `bits` 0, or 1. */
function masked(digits: string, bits: number, fill: "0" | "f"): string {
  const whole = bits >> 2;
  const rest = bits & 3;
  if (rest === 0) return digits.slice(0, whole).padEnd(32, fill);
  const low = 0xf >> rest;
  const digit = Number.parseInt(digits[whole] ?? "0", 16);
  const cut = fill === "0" ? digit & ~low : digit | low;
  return `${digits.slice(0, whole)}${cut.toString(16)}`.padEnd(32, fill);
}
