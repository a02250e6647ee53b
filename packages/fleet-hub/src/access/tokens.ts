import { encodeJoinToken, fingerprintOf, type TokenRecord } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import { ServiceError } from "@nodepass/model";
import {
  type CreatedToken,
  type FleetToken,
  isSelected,
  JOIN_TOKEN_DEFAULTS,
  type NewToken,
  parseSelector,
  type Selector,
  SelectorError,
} from "@nodepass/model/fleet";
import type { Caller } from "../fleet.ts";
import type { FleetStore, Stored } from "../store/fleet-store.ts";
import { StoreError } from "../store/fleet-store.ts";
import type { Auditor } from "./auditor.ts";
import { demandRole, isWithin } from "./scope.ts";
import { createTokenSecret, isSecretOf, readTokenText } from "./token-text.ts";
import { createTurnstile, type Turnstile } from "./turnstile.ts";

/** How often a use is tried to be taken while others take theirs. */
const MAX_TRIES = 20;
/** Joins that wait for their turn with one token. */
const MAX_WAITING = 2000;

/** What tokens are made of. */
export interface TokensOptions {
  readonly store: Pick<FleetStore, "auth">;
  readonly audit: Auditor;
  readonly clock: Clock;
  /** URL of a hub with prefix, for join tokens. */
  readonly hub: string;
  /** The fleet's public X25519 key. */
  readonly boxKey: Uint8Array;
  /** SHA-256 of the hub's certificate where no authority vouches for it: `sha256:AA:BB:…`. */
  readonly certificate: () => string | undefined;
}

/** A join token as somebody has shown it. */
export interface GivenToken {
  readonly id: string;
  readonly secret: string;
}

/** The fleet's tokens. */
export interface Tokens {
  /** @returns `undefined` for none, or one that has ended; compared in constant time */
  verify(text: string, from: string): Caller | undefined;
  /** Whether a token that was good still is. */
  isGood(id: string): boolean;
  list(caller: Caller): readonly FleetToken[];
  create(caller: Caller, token: NewToken): Promise<CreatedToken>;
  remove(caller: Caller, id: string): Promise<void>;
  /** Whether a join token is good at this moment. @throws {ServiceError} `FORBIDDEN`, `UNAVAILABLE` */
  check(token: GivenToken): Promise<void>;
  /**
   * Checks a join token and takes one of its uses.
   *
   * @throws {ServiceError} `FORBIDDEN`, `UNAVAILABLE`
   */
  use(token: GivenToken): Promise<TokenRecord>;
  loaded(): Promise<void>;
  close(): void;
}

/** Follows the bucket of tokens: a check of one costs no request. */
export async function openTokens(options: TokensOptions): Promise<Tokens> {
  const { store, audit, clock, hub, boxKey, certificate } = options;
  const records = new Map<string, Stored<TokenRecord>>();
  /** By id: a selector is read once. */
  const selectors = new Map<string, Selector | undefined>();
  let told = new Set<string>();
  let onLoaded = (): void => undefined;
  const loaded = new Promise<void>((resolve) => {
    onLoaded = resolve;
  });
  const forget = (id: string) => {
    records.delete(id);
    selectors.delete(id);
  };
  const unwatch = await store.auth.watch({
    onRestart: () => {
      told = new Set();
    },
    onRecord: (id, stored) => {
      told.add(id);
      forget(id);
      if (stored !== undefined) records.set(id, stored);
    },
    onLoaded: () => {
      // A token that the store does not have opens nothing.
      for (const id of [...records.keys()]) if (!told.has(id)) forget(id);
      onLoaded();
    },
    // A token that can't be read opens nothing.
    onBad: forget,
  });

  const isOver = ({ expires }: TokenRecord) => expires !== null && expires <= clock.now();
  const selectorOf = (id: string, record: TokenRecord) => {
    if (!selectors.has(id)) selectors.set(id, readSelector(record.selector));
    return selectors.get(id);
  };
  /** Whether a caller could have made it. */
  const isTheirs = (caller: Caller, id: string, record: TokenRecord) => {
    if (record.kind === "join") {
      return caller.selector.length === 0 || isSelected(record.labels, caller.selector);
    }
    const selector = selectorOf(id, record);
    return isWithin(selector ?? [], caller.selector);
  };

  const turns = new Map<string, Turnstile>();
  const demandJoin = async (
    { id, secret }: GivenToken,
    known: Stored<TokenRecord> | undefined,
  ): Promise<Stored<TokenRecord>> => {
    const isId = /^[\w-]{1,64}$/.test(id);
    const found = known ?? (isId ? await stored(store.auth.get(id)) : undefined);
    const isRight = isSecretOf(secret, found?.value.hash ?? NO_HASH);
    if (found === undefined || !isRight || found.value.kind !== "join") {
      throw new ServiceError("FORBIDDEN", "the join token is none of this fleet's");
    }
    if (isOver(found.value)) throw new ServiceError("FORBIDDEN", "the join token has expired");
    if (found.value.uses === 0) throw new ServiceError("FORBIDDEN", "the join token is used up");
    return found;
  };
  const use = async (token: GivenToken): Promise<TokenRecord> => {
    const { id } = token;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      // What the watch has told may be old: then the write fails, and it is read.
      const known = tries === 0 ? records.get(id) : undefined;
      const { value, revision } = await demandJoin(token, known);
      if (value.uses === null) return value;
      const left: TokenRecord = { ...value, uses: value.uses - 1 };
      try {
        records.set(id, { value: left, revision: await store.auth.update(id, left, revision) });
        return value;
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== "CONFLICT") throw serviceError(error);
      }
    }
    throw new ServiceError("UNAVAILABLE", "too many hubs use this token at once");
  };

  return {
    verify: (text, from) => {
      const read = readTokenText(text);
      if (read === undefined) return undefined;
      const record = records.get(read.id)?.value;
      // One that is not there takes as long as one that is.
      const isRight = isSecretOf(read.secret, record?.hash ?? NO_HASH);
      if (record === undefined || !isRight || record.kind !== "api" || isOver(record)) {
        return undefined;
      }
      const selector = selectorOf(read.id, record);
      if (selector === undefined) return undefined;
      return { token: read.id, role: record.role, selector, from };
    },
    isGood: (id) => {
      const record = records.get(id)?.value;
      return record !== undefined && !isOver(record);
    },
    list: (caller) => {
      demandRole(caller, "admin");
      return [...records]
        .filter(([id, { value }]) => isTheirs(caller, id, value))
        .map(([id, { value }]) => shown(id, value));
    },
    create: async (caller, token) => {
      demandRole(caller, "admin");
      const made = createTokenSecret();
      const { kind, role, selector, labels, note } = token;
      const { uses = null, ttl = null } =
        kind === "join" ? { ...JOIN_TOKEN_DEFAULTS, ...given(token) } : { ttl: token.ttl };
      const now = clock.now();
      const record: TokenRecord = {
        v: 1,
        kind,
        hash: made.hash,
        role,
        selector,
        labels,
        uses,
        expires: ttl === null ? null : now + ttl * 1000,
        note,
        created: now,
      };
      if (!isTheirs(caller, made.id, record)) {
        const text = "a token can't see or bring in masters that its maker does not see";
        throw new ServiceError("FORBIDDEN", text);
      }
      const detail = describeToken(record);
      const action = { action: "token.create", object: made.id, before: undefined, detail };
      const revision = await audit.changing(
        caller,
        action,
        () => stored(store.auth.create(made.id, record)),
        (after) => after,
      );
      records.set(made.id, { value: record, revision });
      return { ...shown(made.id, record), token: textOf(kind, made) };
    },
    remove: async (caller, id) => {
      demandRole(caller, "admin");
      const found = records.get(id);
      if (found === undefined || !isTheirs(caller, id, found.value)) {
        throw new ServiceError("NOT_FOUND", `there is no token ${id.slice(0, 64)}`);
      }
      const { revision: before } = found;
      const detail = describeToken(found.value);
      const action = { action: "token.remove", object: id, before, detail };
      await audit.changing(
        caller,
        action,
        () => stored(store.auth.remove(id, before)),
        (after) => after,
      );
      forget(id);
    },
    check: async (token) => void (await demandJoin(token, records.get(token.id))),
    use: (token) => {
      const { id } = token;
      // One after the other, so that those who join here do not race each other, only other hubs.
      const turn = turns.get(id) ?? createTurnstile(1, MAX_WAITING, "joins with this token");
      turns.set(id, turn);
      return turn
        .pass(() => use(token))
        .finally(() => {
          if (turn.isIdle()) turns.delete(id);
        });
    },
    loaded: () => loaded,
    close: unwatch,
  };

  function textOf(kind: NewToken["kind"], made: ReturnType<typeof createTokenSecret>): string {
    if (kind === "api") return made.token;
    const ca = certificate();
    return encodeJoinToken({
      url: hub,
      fp: fingerprintOf(boxKey),
      id: made.id,
      secret: made.secret,
      ...(ca !== undefined && { ca }),
    });
  }
}

/** What is said of a token's bounds, `null` included. */
function given({ uses, ttl }: NewToken): Pick<NewToken, "uses" | "ttl"> {
  return { ...(uses !== undefined && { uses }), ...(ttl !== undefined && { ttl }) };
}

const NO_HASH = new Uint8Array(32);

/** For the audit: what it is good for, and what whoever joins with it gets. */
function describeToken({ kind, role, selector, labels, uses, expires, note }: TokenRecord): string {
  const given = Object.entries(labels).map(([name, value]) => (value ? `${name}=${value}` : name));
  const what =
    kind === "api"
      ? [role, selector === "" ? "all masters" : selector]
      : [`labels ${given.join(",") || "none"}`, `uses ${uses ?? "unlimited"}`];
  const until = expires === null ? "no end" : `until ${new Date(expires).toISOString()}`;
  return [kind, ...what, until, ...(note === "" ? [] : [note])].join(", ");
}

function readSelector(text: string): Selector | undefined {
  try {
    return parseSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

function shown(id: string, record: TokenRecord): FleetToken {
  const { kind, role, selector, labels, uses, expires, note, created } = record;
  return {
    id,
    kind,
    ...(kind === "api" && { role }),
    selector,
    labels,
    uses,
    expires: expires === null ? null : new Date(expires).toISOString(),
    note,
    created: new Date(created).toISOString(),
  };
}

/** What the store could not do, as callers are told. */
export async function stored<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw serviceError(error);
  }
}

/** Turns a {@link StoreError} into a `ServiceError`; anything else stays what it is. */
export function serviceError(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const code = error.code === "TOO_LARGE" ? "LIMIT_REACHED" : error.code;
  return new ServiceError(code, error.message, { cause: error });
}
