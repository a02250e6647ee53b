import type { MemberRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import type { FleetIndex, PartPlace } from "./fleet-index.ts";
import type { BucketWatcher, FleetStore, Stored } from "./fleet-store.ts";

/** An index with its watches. */
export interface LiveIndex extends FleetIndex {
  /** Resolves when all that the buckets hold has been read once. */
  loaded(): Promise<void>;
  /** Keys of records that can't be read, with the reason. */
  readonly bad: ReadonlyMap<string, string>;
  /** The store turned out to be another one, or older than it was. @returns ends it */
  onLost(listener: (keys: readonly string[]) => void): () => void;
  /** It has been read anew from its beginning, with or without a loss. @returns ends it */
  onReread(listener: () => void): () => void;
  /** As `wroteService`, of a member. */
  wroteMember(mid: string, now: Stored<MemberRecord>): void;
  close(): void;
}

/** Follows the buckets of services and members. */
export async function createIndex(
  store: Pick<FleetStore, "services" | "members">,
): Promise<LiveIndex> {
  const bad = new Map<string, string>();
  const lostListeners = new Set<(keys: readonly string[]) => void>();
  const lost = (keys: readonly string[]) => {
    for (const listener of lostListeners) listener(keys);
  };
  const rereadListeners = new Set<() => void>();
  const owners = new Map<string, Map<string, PartPlace>>();
  const services = new Table<ServiceRecord>("svc", bad, lost);
  const members = new Table<MemberRecord>("member", bad, lost);
  services.onReread = () => {
    for (const listener of rereadListeners) listener();
  };
  services.listeners.add((sid, now, before) => {
    for (const [part, { owner, from }] of before?.value.parts.entries() ?? []) {
      for (const mid of [owner, from]) if (mid !== null) owners.get(mid)?.delete(`${sid}/${part}`);
    }
    for (const [part, { owner, from }] of now?.value.parts.entries() ?? []) {
      for (const mid of [owner, owner === null ? from : null]) {
        if (mid === null) continue;
        const places = owners.get(mid) ?? new Map<string, PartPlace>();
        owners.set(mid, places.set(`${sid}/${part}`, { sid, part }));
      }
    }
  });
  let isOwnWrite = false;
  const own = (write: () => void) => {
    isOwnWrite = true;
    write();
    isOwnWrite = false;
  };
  const unwatch = await Promise.all([
    store.services.watch(services.watcher),
    store.members.watch(members.watcher),
  ]);

  return {
    members: members.records,
    services: services.records,
    get revision() {
      return services.revision;
    },
    get isWhole() {
      return services.isLoaded;
    },
    bad,
    ownedBy: (mid) => [...(owners.get(mid)?.values() ?? [])],
    findMembers: (midOrName) => {
      const direct = members.records.get(midOrName);
      if (direct !== undefined && !direct.value.evicted) {
        return [{ mid: midOrName, record: direct.value }];
      }
      return [...members.records]
        .filter(([, { value }]) => value.name === midOrName && !value.evicted)
        .map(([mid, { value }]) => ({ mid, record: value }));
    },
    onService: (listener) => services.listen(listener),
    onMember: (listener) => members.listen(listener),
    get isOwnWrite() {
      return isOwnWrite;
    },
    wroteService: (sid, now) => own(() => services.put(sid, now, now.revision)),
    removedService: (sid, revision) => own(() => services.put(sid, undefined, revision)),
    wroteMember: (mid, now) => own(() => members.put(mid, now, now.revision)),
    loaded: async () => {
      await Promise.all([services.loaded, members.loaded]);
    },
    onLost: (listener) => {
      lostListeners.add(listener);
      return () => lostListeners.delete(listener);
    },
    onReread: (listener) => {
      rereadListeners.add(listener);
      return () => rereadListeners.delete(listener);
    },
    close: () => {
      for (const end of unwatch) end();
    },
  };
}

/** Removals that are remembered: longer than a write of this hub is on its way. */
const MAX_REMOVED = 10_000;

type TableListener<Value> = (
  key: string,
  now: Stored<Value> | undefined,
  before: Stored<Value> | undefined,
  revision: number | undefined,
) => void;

/** One bucket, in memory. */
class Table<Value> {
  readonly records = new Map<string, Stored<Value>>();
  readonly listeners = new Set<TableListener<Value>>();
  readonly loaded: Promise<void>;
  readonly watcher: BucketWatcher<Value>;
  /**
   * All up to here has been told. What this hub has written itself does not count till then: others may
   * have written before it what is still on the way, and who is told of this revision would take that for gone.
   */
  revision = 0;
  isLoaded = false;
  /** All was told again, after it had been told once. */
  onReread = (): void => undefined;
  #wasLoaded = false;
  /** Revisions of what was removed, so that an older record of this hub's own does not come back. */
  readonly #removed = new Map<string, number>();
  /** Keys told since the bucket is told from its beginning. */
  #told = new Set<string>();

  constructor(kind: string, bad: Map<string, string>, lost: (keys: readonly string[]) => void) {
    let resolve = (): void => undefined;
    this.loaded = new Promise((done) => {
      resolve = done;
    });
    this.watcher = {
      onRestart: () => {
        this.isLoaded = false;
        this.#told = new Set();
        this.#removed.clear();
      },
      onRecord: (key, stored, revision) => {
        bad.delete(`${kind}/${key}`);
        if (!this.isLoaded) this.#told.add(key);
        this.revision = Math.max(this.revision, revision);
        this.put(key, stored, revision, !this.isLoaded);
      },
      onBad: (key, reason, revision) => {
        this.#told.add(key);
        this.revision = Math.max(this.revision, revision);
        bad.set(`${kind}/${key}`, reason);
      },
      onLoaded: (revision) => {
        const gone = [...this.records.keys()].filter((key) => !this.#told.has(key));
        this.#told.clear();
        this.isLoaded = true;
        this.revision = revision;
        for (const key of gone) this.#replace(key, undefined, undefined);
        if (gone.length > 0) lost(gone.map((key) => `${kind}/${key}`));
        if (this.#wasLoaded) this.onReread();
        this.#wasLoaded = true;
        resolve();
      },
    };
  }

  listen(listener: TableListener<Value>): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @param anyRevision what the store says while it is told from its beginning counts, older or not */
  put(key: string, now: Stored<Value> | undefined, revision: number, anyRevision = false): void {
    const known = this.records.get(key)?.revision ?? this.#removed.get(key) ?? 0;
    if (revision === known || (revision < known && !anyRevision)) return;
    this.#replace(key, now, revision);
  }

  #replace(key: string, now: Stored<Value> | undefined, revision: number | undefined): void {
    const before = this.records.get(key);
    if (now !== undefined) {
      this.records.set(key, now);
      this.#removed.delete(key);
    } else {
      this.records.delete(key);
      if (revision !== undefined) this.#forget(key, revision);
    }
    if (now === undefined && before === undefined) return;
    for (const listener of this.listeners) listener(key, now, before, revision);
  }

  #forget(key: string, revision: number): void {
    this.#removed.set(key, revision);
    if (this.#removed.size <= MAX_REMOVED) return;
    const [oldest] = this.#removed.keys();
    if (oldest !== undefined) this.#removed.delete(oldest);
  }
}
