import type {
  BucketRecord,
  LeaderRecord,
  MemberRecord,
  NameRecord,
  ServiceRecord,
  TokenRecord,
} from "@nodepass/fleet-protocol";
import type { AuditEntry } from "@nodepass/model/fleet";
import {
  type Bucket,
  type BucketWatcher,
  type FleetStore,
  type Stored,
  StoreError,
} from "../../../src/store/fleet-store.ts";

/** What stands between a hub and the store. */
export interface Road {
  /** Resolves when a request has got there, or an answer back; rejects if it does not. */
  cross(): Promise<void>;
  /** ms until a watch tells the hub of a write; the order stays. */
  lag(): number;
  after(delayMs: number, run: () => void): void;
}

interface Row {
  readonly bytes: string;
  readonly revision: number;
}

/** What all buckets are on. Full: nothing is written, all is read. */
export interface MemoryDisk {
  isFull: boolean;
}

/** One bucket as the engine has it: an honest compare-and-set, one revision for each write. */
export class MemoryBucket<Value> {
  readonly #disk: MemoryDisk;
  readonly #rows = new Map<string, Row>();
  #revision = 0;
  readonly #restarts = new Set<() => void>();
  readonly #watchers = new Set<(key: string, row: Row | undefined, revision: number) => void>();
  /** Told of each write, before anybody else. */
  onWrite: (key: string, value: Value | undefined, revision: number) => void = () => undefined;

  constructor(disk: MemoryDisk = { isFull: false }) {
    this.#disk = disk;
  }

  readonly #encode = (value: Value) => JSON.stringify(value, bytesToText);
  // What comes out is what went in, by a copy.
  readonly #decode = (text: string): Value => JSON.parse(text, textToBytes) as Value;

  #put(key: string, value: Value | undefined, expected: number): number {
    if (this.#disk.isFull) throw new StoreError("UNAVAILABLE", "no space left on device");
    const row = this.#rows.get(key);
    if ((row?.revision ?? 0) !== expected) {
      throw new StoreError("CONFLICT", `${key} is at ${row?.revision ?? 0}, not ${expected}`);
    }
    this.#revision += 1;
    const made =
      value === undefined ? undefined : { bytes: this.#encode(value), revision: this.#revision };
    if (made === undefined) this.#rows.delete(key);
    else this.#rows.set(key, made);
    this.onWrite(key, value, this.#revision);
    for (const watcher of this.#watchers) watcher(key, made, this.#revision);
    return this.#revision;
  }

  /** All is lost, as when another bucket took its place: watches are told from the beginning. */
  lose(): void {
    this.#rows.clear();
    this.#revision = 0;
    for (const restart of this.#restarts) restart();
  }

  /** Read by the test itself. */
  peek(key: string): Stored<Value> | undefined {
    const row = this.#rows.get(key);
    return row === undefined
      ? undefined
      : { value: this.#decode(row.bytes), revision: row.revision };
  }

  keys(): string[] {
    return [...this.#rows.keys()];
  }

  /** The bucket as one hub sees it. */
  seenBy(road: Road): Bucket<Value> {
    const round = async <Result>(work: () => Result): Promise<Result> => {
      await road.cross();
      // What came of it crosses the road as well, whatever it is.
      const [outcome] = await Promise.allSettled([Promise.resolve().then(work)]);
      await road.cross();
      return outcome.status === "fulfilled" ? outcome.value : Promise.reject(outcome.reason);
    };
    return {
      get: (key) => round(() => this.peek(key)),
      create: (key, value) => round(() => this.#put(key, value, 0)),
      update: (key, value, revision) => {
        // Taken as it is now: what the caller changes later is not written.
        const copy = this.#decode(this.#encode(value));
        return round(() => this.#put(key, copy, revision));
      },
      remove: (key, revision) => round(() => this.#put(key, undefined, revision)),
      revision: () => round(() => this.#revision),
      watch: (watcher) => Promise.resolve(this.#watch(watcher, road)),
    };
  }

  #watch(watcher: BucketWatcher<Value>, road: Road): () => void {
    watcher.onRestart();
    for (const [key, row] of this.#rows) {
      watcher.onRecord(
        key,
        { value: this.#decode(row.bytes), revision: row.revision },
        row.revision,
      );
    }
    watcher.onLoaded(this.#revision);
    const queue: (() => void)[] = [];
    let isEnded = false;
    let isRunning = false;
    const run = () => {
      const next = queue.shift();
      isRunning = next !== undefined;
      if (next === undefined) return;
      road.after(road.lag(), () => {
        if (!isEnded) next();
        run();
      });
    };
    const tell = (key: string, row: Row | undefined, revision: number) => {
      queue.push(() => {
        const stored = row === undefined ? undefined : { value: this.#decode(row.bytes), revision };
        watcher.onRecord(key, stored, revision);
      });
      if (!isRunning) run();
    };
    const restart = () => {
      watcher.onRestart();
      watcher.onLoaded(0);
    };
    this.#restarts.add(restart);
    this.#watchers.add(tell);
    return () => {
      isEnded = true;
      this.#watchers.delete(tell);
      this.#restarts.delete(restart);
    };
  }
}

/** The engine's store, without an engine. */
export class MemoryStore {
  readonly disk: MemoryDisk = { isFull: false };
  readonly services = new MemoryBucket<ServiceRecord>(this.disk);
  readonly members = new MemoryBucket<MemberRecord>(this.disk);
  readonly auth = new MemoryBucket<TokenRecord>(this.disk);
  readonly leader = new MemoryBucket<LeaderRecord>(this.disk);
  readonly names = new MemoryBucket<NameRecord>(this.disk);
  readonly identity: BucketRecord = { v: 1, nonce: "store" };
  readonly audited: Omit<AuditEntry, "sequence">[] = [];

  seenBy(road: Road): FleetStore {
    return {
      services: this.services.seenBy(road),
      members: this.members.seenBy(road),
      auth: this.auth.seenBy(road),
      leader: this.leader.seenBy(road),
      names: this.names.seenBy(road),
      identity: this.identity,
      audit: async (entry) => {
        await road.cross();
        if (this.disk.isFull) throw new StoreError("UNAVAILABLE", "no space left on device");
        return this.audited.push(entry);
      },
      readAudit: async () => {
        await road.cross();
        return this.audited.map((entry, index) => ({ ...entry, sequence: index + 1 })).reverse();
      },
    };
  }
}

function bytesToText(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? { $bytes: [...value] } : value;
}

function textToBytes(_key: string, value: unknown): unknown {
  const isBytes = typeof value === "object" && value !== null && "$bytes" in value;
  return isBytes && Array.isArray(value.$bytes) ? Uint8Array.from(value.$bytes) : value;
}
