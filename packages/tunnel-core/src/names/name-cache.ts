import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";
import { TunnelError } from "../errors.ts";

/** A name that gives trouble is looked up this often at most, not with each connection, ms. */
const RETRY_MS = 1000;
/** Longest wait for a look-up while there is an address to fall back on, ms. */
const FALLBACK_MS = 1000;
/** How long an address that failed comes after the others of its name, ms. */
const LAST_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_MAX_NAMES = 1024;

/** An address of a name. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Resolves a name; rejects with a system error such as `ENOTFOUND`. */
export type NameLookup = (host: string) => Promise<readonly ResolvedAddress[]>;

/** How long and how much a cache keeps. */
export interface NameCacheOptions {
  /** How long an answer is used without asking again, ms; 0 asks each time. */
  readonly ttlMs: number;
  /** @default the system's resolver, addresses in its order */
  readonly lookup?: NameLookup | undefined;
  /** Clock in milliseconds. @default performance.now */
  readonly now?: (() => number) | undefined;
  /** Longest wait for one look-up, ms. @default 5000 */
  readonly timeoutMs?: number | undefined;
  /** Most names kept; the one asked for longest ago goes first. @default 1024 */
  readonly maxNames?: number | undefined;
}

interface Entry {
  readonly host: string;
  /** Last good answer. */
  addresses: readonly ResolvedAddress[] | undefined;
  /** When `addresses` arrived. */
  answeredAt: number;
  /** When the last look-up began. */
  askedAt: number;
  failure: TunnelError | undefined;
  failedAt: number;
  /** An address failed since the last look-up began: the next attempt looks the name up again. */
  suspect: boolean;
  /** When each address that does not work failed last. */
  failed: Map<string, number> | undefined;
  /** The look-up under way; outlives the time limit, as the system's cannot be taken back. */
  lookup: Promise<readonly ResolvedAddress[]> | undefined;
  /** `lookup` with its time limit and the last good answer to fall back on. */
  refresh: Promise<readonly ResolvedAddress[]> | undefined;
}

const LOOPBACK: readonly ResolvedAddress[] = [{ address: "127.0.0.1", family: 4 }];

/**
 * Addresses of names: of the server, of targets, of whatever is pinged.
 *
 * An answer is used for `ttlMs`; after that the old one is returned once more while a new one is
 * fetched in the background. An address that did not work is told by `failed`: the name is looked
 * up again for the next attempt, once a second at most. A name that resolved once keeps its last
 * good answer when look-ups fail. Each name has at most one look-up under way.
 */
export class NameCache {
  #ttlMs: number;
  readonly #lookup: NameLookup;
  readonly #now: () => number;
  readonly #timeoutMs: number;
  readonly #maxNames: number;
  readonly #entries = new Map<string, Entry>();

  /** @throws {TunnelError} `INVALID_OPTIONS` if a number is out of range */
  constructor(options: NameCacheOptions) {
    this.#ttlMs = atLeast("ttlMs", options.ttlMs, 0);
    this.#timeoutMs = atLeast("timeoutMs", options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 1);
    this.#maxNames = atLeast("maxNames", options.maxNames ?? DEFAULT_MAX_NAMES, 1);
    this.#lookup = options.lookup ?? lookupWithSystem;
    this.#now = options.now ?? (() => performance.now());
  }

  /** How long an answer is used from now on, ms. */
  setTtl(ttlMs: number): void {
    this.#ttlMs = atLeast("ttlMs", ttlMs, 0);
  }

  /**
   * Resolves an address literal, a name, or the empty host, which means loopback when dialing.
   *
   * @returns at least one address; synchronously for literals and names with a good answer
   * @throws {TunnelError} `NAME_NOT_RESOLVED` (as a rejection) if the name never resolved
   */
  resolve(host: string): readonly ResolvedAddress[] | Promise<readonly ResolvedAddress[]> {
    const entry = this.#entries.get(host);
    if (entry === undefined) {
      if (host === "") return LOOPBACK;
      const family = isIP(host);
      if (family !== 0) return [{ address: host, family: family === 4 ? 4 : 6 }];
      return this.#refresh(this.#add(host));
    }
    const now = this.#now();
    const { addresses } = entry;
    if (entry.suspect && addresses !== undefined)
      return this.#resolveSuspect(entry, addresses, now);
    if (addresses !== undefined && now - entry.answeredAt < this.#ttlMs) return addresses;
    if (entry.failure !== undefined && now - entry.failedAt < RETRY_MS) {
      return addresses ?? Promise.reject(entry.failure);
    }
    const refresh = this.#refresh(entry);
    return addresses === undefined || this.#ttlMs === 0 ? refresh : addresses;
  }

  /**
   * An address of this name did not work: refused, unreachable, silent, not who it should be.
   *
   * @param address comes after the name's others for a minute; without it the order stays
   */
  failed(host: string, address?: string): void {
    const entry = this.#entries.get(host);
    if (entry?.addresses === undefined) return;
    if (address !== undefined) {
      if (!entry.addresses.some((resolved) => resolved.address === address)) return;
      entry.failed ??= new Map();
      entry.failed.set(address, this.#now());
      entry.addresses = inOrder(entry.addresses, entry.failed);
    }
    entry.suspect = true;
  }

  #resolveSuspect(
    entry: Entry,
    addresses: readonly ResolvedAddress[],
    now: number,
  ): readonly ResolvedAddress[] | Promise<readonly ResolvedAddress[]> {
    const again = now - entry.askedAt >= RETRY_MS;
    const refresh = again ? this.#refresh(entry) : entry.refresh;
    // Another address of the name has not failed: nobody waits for the look-up.
    const first = addresses[0]?.address ?? "";
    if (entry.failed !== undefined && !entry.failed.has(first)) return addresses;
    return refresh ?? addresses;
  }

  #add(host: string): Entry {
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < this.#maxNames) break;
      this.#entries.delete(oldest);
    }
    const entry: Entry = {
      host,
      addresses: undefined,
      answeredAt: 0,
      askedAt: 0,
      failure: undefined,
      failedAt: 0,
      suspect: false,
      failed: undefined,
      lookup: undefined,
      refresh: undefined,
    };
    this.#entries.set(host, entry);
    return entry;
  }

  #refresh(entry: Entry): Promise<readonly ResolvedAddress[]> {
    if (entry.refresh !== undefined) return entry.refresh;
    // To the end: names in use are not the ones to go when the cache is full.
    if (this.#entries.delete(entry.host)) this.#entries.set(entry.host, entry);
    const refresh = this.#answerInTime(entry).catch((error: unknown) => {
      entry.failure = notResolved(entry.host, error);
      entry.failedAt = this.#now();
      if (entry.addresses !== undefined) return entry.addresses;
      throw entry.failure;
    });
    entry.refresh = refresh;
    const done = () => {
      entry.refresh = undefined;
    };
    refresh.then(done, done);
    return refresh;
  }

  async #answerInTime(entry: Entry): Promise<readonly ResolvedAddress[]> {
    entry.lookup ??= this.#startLookup(entry);
    const fallback = entry.addresses !== undefined;
    const waitMs = fallback ? Math.min(this.#timeoutMs, FALLBACK_MS) : this.#timeoutMs;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      const fail = () => reject(new Error(`no answer within ${waitMs} ms`));
      // The look-up itself keeps the process alive as long as somebody can use its answer.
      timer = setTimeout(fail, waitMs).unref();
    });
    try {
      return await Promise.race([entry.lookup, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** An answer counts even when it comes after the time limit. */
  async #startLookup(entry: Entry): Promise<readonly ResolvedAddress[]> {
    entry.askedAt = this.#now();
    const { suspect } = entry;
    entry.suspect = false;
    try {
      const answer = await this.#lookup(entry.host);
      if (answer.length === 0) throw new Error("no address");
      entry.answeredAt = this.#now();
      const addresses = entry.failed === undefined ? answer : this.#withoutForgiven(entry, answer);
      entry.addresses = addresses;
      entry.failure = undefined;
      return addresses;
    } catch (error) {
      // What failed before the look-up is no better after it.
      entry.suspect ||= suspect;
      throw error;
    } finally {
      entry.lookup = undefined;
    }
  }

  /** Forgets failures of long ago and of addresses that the name has no more. */
  #withoutForgiven(entry: Entry, answer: readonly ResolvedAddress[]): readonly ResolvedAddress[] {
    const since = this.#now() - LAST_MS;
    const failed = new Map<string, number>();
    for (const { address } of answer) {
      const at = entry.failed?.get(address);
      if (at !== undefined && at > since) failed.set(address, at);
    }
    entry.failed = failed.size === 0 ? undefined : failed;
    return entry.failed === undefined ? answer : inOrder(answer, failed);
  }
}

/** Those that did not fail as they come, then the others, the one that failed last at the end. */
function inOrder(
  addresses: readonly ResolvedAddress[],
  failed: ReadonlyMap<string, number>,
): readonly ResolvedAddress[] {
  const at = ({ address }: ResolvedAddress): number => failed.get(address) ?? 0;
  return addresses.toSorted((one, other) => at(one) - at(other));
}

async function lookupWithSystem(host: string): Promise<readonly ResolvedAddress[]> {
  const answers = await systemLookup(host, { all: true, order: "verbatim" });
  return answers.map(({ address, family }) => ({ address, family: family === 4 ? 4 : 6 }));
}

function notResolved(host: string, cause: unknown): TunnelError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TunnelError("NAME_NOT_RESOLVED", `cannot resolve ${host}: ${reason}`, { cause });
}

function atLeast(option: string, value: number, least: number): number {
  if (value >= least) return value;
  throw new TunnelError("INVALID_OPTIONS", `${option} is ${value}, must be at least ${least}`);
}
