import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";
import { TunnelError } from "../errors.ts";

/** A failing look-up of a name is tried again after this, not with each connection. */
const RETRY_MS = 1000;
const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_MAX_NAMES = 1024;

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export type NameLookup = (host: string) => Promise<readonly ResolvedAddress[]>;

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
  failure: TunnelError | undefined;
  failedAt: number;
  /** The look-up under way; outlives the time limit, as the system's cannot be taken back. */
  lookup: Promise<readonly ResolvedAddress[]> | undefined;
  /** `lookup` with its time limit and the last good answer to fall back on. */
  refresh: Promise<readonly ResolvedAddress[]> | undefined;
}

const LOOPBACK: readonly ResolvedAddress[] = [{ address: "127.0.0.1", family: 4 }];

/**
 * Addresses of target names.
 *
 * An answer is used for `ttlMs`; after that the old one is returned once more while a new one is
 * fetched in the background. A name that resolved once keeps its last good answer when look-ups
 * fail. Each name has at most one look-up under way.
 */
export class NameCache {
  readonly #ttlMs: number;
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
    if (addresses !== undefined && now - entry.answeredAt < this.#ttlMs) return addresses;
    if (entry.failure !== undefined && now - entry.failedAt < RETRY_MS) {
      return addresses ?? Promise.reject(entry.failure);
    }
    const refresh = this.#refresh(entry);
    return addresses === undefined || this.#ttlMs === 0 ? refresh : addresses;
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
      failure: undefined,
      failedAt: 0,
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
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      const fail = () => reject(new Error(`no answer within ${this.#timeoutMs} ms`));
      // The look-up itself keeps the process alive as long as somebody can use its answer.
      timer = setTimeout(fail, this.#timeoutMs).unref();
    });
    try {
      return await Promise.race([entry.lookup, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** An answer counts even when it comes after the time limit. */
  async #startLookup(entry: Entry): Promise<readonly ResolvedAddress[]> {
    try {
      const addresses = await this.#lookup(entry.host);
      if (addresses.length === 0) throw new Error("no address");
      entry.addresses = addresses;
      entry.answeredAt = this.#now();
      entry.failure = undefined;
      return addresses;
    } finally {
      entry.lookup = undefined;
    }
  }
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
