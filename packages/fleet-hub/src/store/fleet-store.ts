import type {
  BucketRecord,
  LeaderRecord,
  MemberRecord,
  NameRecord,
  ServiceRecord,
  TokenRecord,
} from "@nodepass/fleet-protocol";
import type { AuditEntry } from "@nodepass/model/fleet";

/** A record with the revision that a change of it must name. */
export interface Stored<Value> {
  readonly value: Value;
  readonly revision: number;
}

/** Of the record of who leads: a hub writes it all the time. */
export const LEADER_KEY = "leader";

/** What a watch is told. None of the calls throws. */
export interface BucketWatcher<Value> {
  /** The bucket is told from its beginning: first of all, and when it is another one or older than it was. */
  onRestart(): void;
  /** `undefined`: removed. */
  onRecord(key: string, stored: Stored<Value> | undefined, revision: number): void;
  /**
   * All that is there has been told since `onRestart`; what was not, is lost.
   *
   * @param revision the highest ever given in this bucket, removals included
   */
  onLoaded(revision: number): void;
  /** A record that can't be read: it is skipped and named. */
  onBad(key: string, reason: string, revision: number): void;
}

/** Records of one kind under keys, sealed at rest. */
export interface Bucket<Value> {
  /** @throws {StoreError} `UNAVAILABLE` */
  get(key: string): Promise<Stored<Value> | undefined>;
  /** @returns its revision @throws {StoreError} `CONFLICT` if it is there, `UNAVAILABLE` */
  create(key: string, value: Value): Promise<number>;
  /** @returns its new revision @throws {StoreError} `CONFLICT` if it is not at `revision` any more, `UNAVAILABLE` */
  update(key: string, value: Value, revision: number): Promise<number>;
  /** @returns the revision of its marker @throws {StoreError} `CONFLICT`, `UNAVAILABLE` */
  remove(key: string, revision: number): Promise<number>;
  /**
   * The highest revision given in this bucket, removals included, asked of the store: tells whether a
   * watch has seen all. @throws {StoreError} `UNAVAILABLE`
   */
  revision(): Promise<number>;
  /** Follows all keys, through reconnects. @returns ends it */
  watch(watcher: BucketWatcher<Value>): Promise<() => void>;
}

/** Which records an audit's reader wants. */
export interface AuditQuery {
  /** Older than this sequence. @default the newest */
  readonly before?: number | undefined;
  /** At most, 1 to 1000. */
  readonly limit: number;
}

/**
 * All that a hub asks of the engine's store; section 2 of the fleet's design keeps it so small that
 * another store could take its place.
 */
export interface FleetStore {
  readonly services: Bucket<ServiceRecord>;
  readonly members: Bucket<MemberRecord>;
  readonly auth: Bucket<TokenRecord>;
  /** Key `leader`; nobody watches it, who would lead asks. */
  readonly leader: Omit<Bucket<LeaderRecord>, "watch" | "remove">;
  /** Keys made of names, nobody watches them: see `claimName`. */
  readonly names: Omit<Bucket<NameRecord>, "watch">;
  /**
   * What tells this store from one that was made anew; made with it. It is another one as soon as the
   * watch on services begins to tell of another bucket that has taken the place of this one.
   */
  readonly identity: BucketRecord;
  /** Resolves when it is on disk. @returns its sequence @throws {StoreError} `UNAVAILABLE` */
  audit(entry: Omit<AuditEntry, "sequence">): Promise<number>;
  /** Newest first. @throws {StoreError} `UNAVAILABLE` */
  readAudit(query: AuditQuery): Promise<readonly AuditEntry[]>;
}

export type StoreErrorCode = "CONFLICT" | "UNAVAILABLE" | "TOO_LARGE";

/** What a store could not do; the message has no value of a record. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
