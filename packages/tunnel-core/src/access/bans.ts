import { addressKey } from "./address-set.ts";

/** What costs an address how long, ms: OpenSSH's `PerSourcePenalties` (sshd_config(5)). */
const PENALTIES = {
  /** A wrong proof or token (`authfail`). */
  proof: 5000,
  /** Nothing useful within the time of a handshake (`grace-exceeded`). */
  silence: 10_000,
  /** It went without having tried to prove itself, or speaks nothing of ours (`noauth`). */
  noise: 1000,
} as const;

export type Offence = keyof typeof PENALTIES;

/** Who is told of what an address has done. */
export interface Offences {
  offended(address: string, offence: Offence): void;
}

/** Penalties of less than this, ms, are remembered, not enforced (`min`). */
const LEAST_MS = 15_000;
/** Longest ban, ms (`max`). */
const LONGEST_MS = 600_000;
/** Most addresses remembered; the one whose last offence is oldest is forgotten. */
const MAX_SOURCES = 16_384;

/** An address that is refused for a while. */
export interface Ban {
  /** IPv4, or the /64 of IPv6 addresses that one host has as a rule. */
  readonly address: string;
  /** How long it lasts from now on, ms. */
  readonly forMs: number;
  /** What it did, and how often since it was last forgotten. */
  readonly offences: number;
}

interface Source {
  /** When its penalty is over, monotonic ms. */
  endsAt: number;
  offences: number;
  /** From `LEAST_MS` on. */
  enforced: boolean;
}

/**
 * Addresses that failed to prove themselves: each failure adds to its penalty, which runs off with
 * time; from 15 s on it is a ban until it has run off, of 10 min at most. An IPv6 address counts as
 * its /64.
 */
export class Bans {
  readonly #sources = new Map<string, Source>();
  readonly #now: () => number;
  /** Who is let in all the same: the tunnel's present client may share its address with a stranger. */
  isExempt: (address: string) => boolean = () => false;

  /** @param now monotonic clock, ms. @default performance.now */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns how long it is banned from now on, ms, if it is only since this offence */
  punish(address: string, offence: Offence): number | undefined {
    const key = sourceOf(address);
    if (key === undefined) return undefined;
    const now = this.#now();
    const known = this.#sources.get(key);
    const source =
      known !== undefined && known.endsAt > now
        ? known
        : { endsAt: now, offences: 0, enforced: false };
    source.endsAt = Math.min(source.endsAt + PENALTIES[offence], now + LONGEST_MS);
    source.offences++;
    // Last in the order of forgetting.
    this.#sources.delete(key);
    this.#sources.set(key, source);
    if (this.#sources.size > MAX_SOURCES) this.#forgetOne();
    // In whole seconds, as OpenSSH counts: three failures in a row are 15 s.
    if (source.enforced || source.endsAt - now <= LEAST_MS - 1000) return undefined;
    source.enforced = true;
    return source.endsAt - now;
  }

  has(address: string): boolean {
    if (this.#sources.size === 0) return false;
    const key = sourceOf(address);
    const source = key === undefined ? undefined : this.#sources.get(key);
    if (key === undefined || source === undefined) return false;
    if (source.endsAt > this.#now()) return source.enforced && !this.isExempt(address);
    this.#sources.delete(key);
    return false;
  }

  /** Those in force, the next to end first. */
  list(): Ban[] {
    const now = this.#now();
    return [...this.#sources]
      .filter(([, { endsAt, enforced }]) => enforced && endsAt > now)
      .map(([address, { endsAt, offences }]) => ({
        address,
        forMs: Math.round(endsAt - now),
        offences,
      }))
      .sort((one, other) => one.forMs - other.forMs);
  }

  /** Forgets what an address did. @param address @default all @returns bans that ended so */
  lift(address?: string): number {
    const before = this.list().length;
    if (address === undefined) this.#sources.clear();
    else {
      this.#sources.delete(address);
      const key = sourceOf(address.replace(/\/64$/, ""));
      if (key !== undefined) this.#sources.delete(key);
    }
    return before - this.list().length;
  }

  #forgetOne(): void {
    for (const key of this.#sources.keys()) {
      this.#sources.delete(key);
      return;
    }
  }
}

/**
 * Whom an address stands for where one host is meant: an IPv4 address itself, an IPv6 address its
 * /64. `undefined` if it is no IP address.
 *
 * @example
 * sourceOf("2001:db8::1"); // "2001:db8:0:0::/64"
 */
export function sourceOf(address: string): string | undefined {
  const canonical = addressKey(address);
  if (canonical === undefined) return undefined;
  if (typeof canonical === "number") {
    return `${canonical >>> 24}.${(canonical >>> 16) & 255}.${(canonical >>> 8) & 255}.${canonical & 255}`;
  }
  const group = (at: number): string =>
    Number.parseInt(canonical.slice(4 * at, 4 * at + 4), 16).toString(16);
  return `${group(0)}:${group(1)}:${group(2)}:${group(3)}::/64`;
}
